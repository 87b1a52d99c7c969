// @ts-check
/** English, for the network check. */
export default {
  // The network check
  checkText: 'It sends nothing of yours: the probes are made up here, and the relay keeps none of them.',
  checkStep: { relay: 'Trying the relay', streams: 'Trying streams', answers: 'Trying answers that end', posts: 'Trying to send' },
  /** @param {number} gone @param {number} of */
  checkWatching: (gone, of) => `Watching how long streams last: ${gone} of ${of} s`,
  checkStop: 'Stop watching',
  checkAgain: 'Check again',
  checkDone: 'Done',
  checkCopy: 'Copy the report',
  checkDetails: 'Details',
  checkVerdict: {
    /** @param {string} why */
    unreachable: (why) => `The relay cannot be reached from here: ${why}.`,
    live: () => 'Live streams work here: messages arrive at once.',
    octets: () => 'Event streams are held back or refused here, but the same as plain bytes works: messages arrive at once.',
    batch: () => 'This network holds streams back; snug asks for answers that end at once: messages take a moment longer.',
    poll: () => 'This network holds streams back; snug will poll: messages take about a second.',
    deaf: () => 'Neither streams nor polls get through here: messages cannot be received.',
    mute: () => 'POSTs are refused here: nothing can be sent.',
    text: () => 'Binary POSTs are refused here; snug sends as text.',
    /** @param {number} kib */
    small: (kib) => `POSTs above ${kib} KiB are refused; files go in small pieces.`,
    altered: () => 'Something in between changes pages on their way. The snug program can serve an unchanged one: snug ui.',
    cached: () => 'Something in between answers for the relay out of a cache; snug makes every address a new one.',
    /** @param {string} names */
    lost: (names) => `Headers are stripped on the way (${names}); snug needs none of them.`,
    /** @param {number} s */
    cut: (s) => `Streams are cut after about ${s} s; snug opens the next one in time.`,
    /** @param {number} s */
    idle: (s) => `Silent streams are cut after about ${s} s; those of snug say something every 10 s.`,
  },
  checkRow: {
    relay: 'Relay', stream: 'Stream', octets: 'Stream as bytes', batch: 'Answer that ends', poll: 'Long poll', posts: 'Largest POST', lost: 'Headers lost', added: 'Headers added', watch: 'Streams watched',
  },
  /** @param {number} ms */
  checkLive: (ms) => `live, ${ms} ms`,
  /** @param {number} bytes */
  checkHeld: (bytes) => (bytes > 0 ? `held back in blocks of about ${bytes >> 10} KiB` : 'held back until the end'),
  checkNothing: 'nothing arrives',
  /** @param {number} ms */
  checkPasses: (ms) => `passes, ${ms} ms late`,
  /** @param {string} why */
  checkFails: (why) => `does not pass: ${why}`,
  /** @param {number} octets @param {number} text */
  checkPosts: (octets, text) => `${octets >> 10} KiB binary, ${text >> 10} KiB text`,
  checkNone: 'none',
  /** @param {{seconds: number, cut: number, idle: number}} w */
  checkWatched: ({ seconds, cut, idle }) => `${seconds} s: ${cut ? `cut after ${cut} s` : 'not cut'}, silent ${idle ? `cut after ${idle} s` : 'not cut'}`,
};
