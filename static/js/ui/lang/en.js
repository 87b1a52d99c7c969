// @ts-check
/** English. A text with something to fill in is a function. */

/** @param {number} n @param {string} one @param {string} many */
export const count = (n, one, many) => `${n} ${n === 1 ? one : many}`;

/** Names in a sentence. @param {string[]} who */
export const list = (who) => new Intl.ListFormat('en').format(who);

/** @param {number} s seconds */
export const lasting = (s) => {
  const [unit, one, many] = /** @type {[number, string, string]} */ ([[604_800, 'week', 'weeks'], [86_400, 'day', 'days'], [3600, 'hour', 'hours'], [60, 'minute', 'minutes'], [1, 'second', 'seconds']].find(([each]) => s % Number(each) === 0));
  return count(s / unit, one, many);
};

export default {
  dir: /** @type {'ltr' | 'rtl'} */ ('ltr'),
  language: 'English',
  languages: 'Language',
  /** What the layers below say of networks, relays and keys, by the English sentence that they have; # stands for a number. English says it as they do. @type {Record<string, string>} */
  reasons: {},
  /** between a sentence and its reason */
  colon: ': ',

  today: 'Today',
  yesterday: 'Yesterday',
  privateRoom: 'Private room',
  /** @param {string | null} room @param {number} unread */
  title: (room, unread) => `${unread > 0 ? `(${unread}) ` : ''}${room ? `${room} · snug` : 'snug'}`,
  copy: 'Copy',
  copied: 'Copied',
  copyFailed: 'Select it and copy it by hand',
  cancel: 'Cancel',
  back: 'Back',
  close: 'Close',

  // Start
  tagline: 'A private room for talking.',
  promise: 'Sealed in your browser. The relay in between cannot read it, and nothing stays once everyone has left.',
  yourName: 'Your name',
  nameHint: 'What the others see',
  nameMissing: 'Choose a name first; any will do.',
  nameLong: 'That name is too long.',
  newRoom: 'Open a new room',
  withPassphrase: 'Enter with a passphrase',
  withLink: 'Enter with a link',
  keptTitle: 'Your rooms on this device',
  forget: 'Forget',
  /** @param {string} name */
  forgetRoom: (name) => `Forget ${name} on this device`,
  forgetSure: 'Really forget?',
  keep: 'Keep this room on this device',
  keepHint: 'So you come back as the same member. Leave it off on a device that is not yours.',
  enter: 'Enter',

  // Link
  invitedTitle: 'You are invited',
  invitedText: 'To a private room. Only people who have this link can read what is said in it.',
  linkTitle: 'Enter with a link',
  link: 'Link',
  linkHint: 'The whole address, with everything after the #',
  linkWrong: 'There is no room in this text. Copy the whole link, with everything after the #.',
  scan: 'Scan a code',
  scanTitle: 'Scan a code',
  scanText: 'Hold the QR code of a room in front of the camera. The picture stays on this device.',
  scanNo: 'This browser cannot read QR codes. The camera of your phone can: it opens the link by itself.',
  scanRefused: 'The camera is not allowed here. Allow it for this page in the browser’s settings, or paste the link.',
  scanNone: 'There is no camera that this page can use. Paste the link instead.',
  scanOther: 'This code holds no link to a room.',
  linkBroken: 'This link is damaged. Part of it is missing; ask for it again.',

  // Passphrase
  passTitle: 'Enter with a passphrase',
  passText: 'Everyone who types the same two things meets in the same room.',
  roomName: 'Room name',
  roomNameHint: 'Never leaves this device',
  roomNameMissing: 'Which room? Type the name you agreed on.',
  passphrase: 'Passphrase',
  passMissing: 'Type the passphrase, or take the words offered.',
  offered: 'For a new room, take these words:',
  takeWords: 'Take these',
  otherWords: 'Other words',
  tellWords: 'Write them down, or tell the others in person or by phone.',
  show: 'Show the passphrase',
  hide: 'Hide the passphrase',
  weak: 'Weak.',
  strong: 'Strong enough.',

  // On the way in
  makingKey: 'Making the key from your words',
  makingKeyHint: 'This takes a moment on purpose: every guess would take as long.',
  opening: 'Opening the room',
  openingSlow: 'The network is slow here. Still trying.',
  oldBrowser: 'This browser is too old for the encryption of these rooms. A current Chrome, Edge, Firefox or Safari can do it.',
  notLoaded: 'Part of the page could not be loaded. Check the network, then reload the page.',

  // No crypto
  plainTitle: 'This address is not safe enough',
  plainText: 'The page came over plain http, and there browsers switch their encryption off. Without it no room can be private, so this page opens none. Three ways out:',
  plainHttps: 'Use https',
  plainHttpsText: 'Open the same address with https, or ask whoever runs the relay to switch it on:',
  plainTunnel: 'Come through a tunnel',
  plainTunnelText: 'Browsers trust localhost. With ssh access to the relay, run this and open the address below it:',
  plainLocal: 'Use the page on your own machine',
  plainLocalText: 'The snug program serves the page itself and passes on only what is sealed:',

  // Room
  status: {
    connecting: 'Connecting',
    live: 'Live',
    polling: 'Polling',
    offline: 'Offline',
    blocked: 'Blocked',
    closed: 'Closed',
  },
  statusText: {
    connecting: 'Looking for a way to the relay.',
    live: 'Messages arrive at once.',
    polling: 'This network holds streams back, so the page asks again and again. Messages arrive a little later.',
    offline: 'The relay cannot be reached. What you write waits here and goes out when it can.',
    blocked: 'Something between you and the relay refuses the connection. What you write waits here.',
    closed: 'This room is closed on this page.',
  },
  /** @param {number} ms */
  latency: (ms) => `There and back in ${Math.round(ms)} ms.`,
  /** @param {string} words */
  statusName: (words) => `Connection: ${words}`,
  checkTitle: 'What does this network do?',
  people: 'People',
  invite: 'Invite',
  more: 'This room',
  timeline: 'Conversation',
  write: 'Message',
  send: 'Send',
  /** @param {number} n */
  newBelow: (n) => `${n} new`,
  toNewest: 'To the newest',
  aloneTitle: 'Just you, so far',
  aloneLink: 'Send this link to whoever should come in. It is the key: whoever has it can enter.',
  aloneWords: 'Tell the others the room name and the passphrase, in person or by phone.',
  copyLink: 'Copy link',
  share: 'Share',

  // Several rooms
  rooms: 'Rooms',
  /** @param {number} n @param {number} unread in the others */
  roomsState: (n, unread) => (unread > 0 ? `Rooms: ${n}, ${unread} unread in others` : `Rooms: ${n}`),
  roomsTitle: 'Your rooms',
  roomsKeys: 'Alt with ↑ or ↓ goes from room to room.',
  otherRoom: 'Another room',
  /** @param {number} n */
  unread: (n) => `${n} unread`,

  // From another app
  sharedTitle: 'Share into a room',
  sharedText: 'Choose the room. You see it there once more before it is sent.',
  sharedLost: 'What you shared was lost on the way here. Share it again.',
  /** @param {number} bytes */
  size: (bytes) => (bytes < 1e6 ? `${Math.ceil(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`),

  // A newer page
  newer: 'There is a newer version of this page.',
  reload: 'Reload',
  later: 'Not now',

  // Notices
  notices: 'When you look elsewhere',
  noticesText: 'For this device. Nothing but the title tells of new messages otherwise.',
  sound: 'Play a soft sound',
  notice: 'Show a notification',
  noticeOpen: 'With name and text in it',
  noticeOpenHint: 'Your system keeps notifications, and shows them on the locked screen.',
  noticeRefused: 'This browser does not allow notifications for this page. Its settings can change that.',
  noticeTitle: 'snug',
  noticeHidden: 'There is a new message.',

  // Writing
  emoji: 'Emoji',
  /** @param {number} n seconds */
  writeTimed: (n) => `Message, vanishes ${lasting(n)} after it is read`,
  /** @param {number} n */
  left: (n) => (n >= 0 ? `${n.toLocaleString('en')} characters left` : `${(-n).toLocaleString('en')} characters too long`),

  // Timeline
  timelineKeys: 'The arrow keys go from message to message, Enter shows what can be done with one.',
  news: 'New since you looked',
  deleted: 'Deleted',
  spoiler: 'Hidden text',
  event: {
    joined: /** @param {string} who */ (who) => `${who} came in`,
    left: /** @param {string} who */ (who) => `${who} left`,
    removed: /** @param {string} by */ (by) => `${by} removed you`,
    changed: /** @param {string} who */ (who) => `${who} has a different key than before. Compare before you trust it.`,
    renamed: /** @param {string} who @param {string} name */ (who, name) => (name ? `${who} is now ${name}` : `${who} has a new name`),
    back: /** @param {string} who */ (who) => `${who} is back`,
    stands: /** @param {string} who */ (who) => `${who} came, and waits to be let in`,
    locked: /** @param {string} who */ (who) => `${who} locked the room. Whoever comes now waits to be let in.`,
    opened: /** @param {string} who */ (who) => `${who} opened the room again`,
    admitted: /** @param {string} who @param {string} name */ (who, name) => `${who} let ${name || 'someone'} in`,
    letin: /** @param {string} who */ (who) => `${who} let you in`,
    waits: () => 'The room is locked. You wait here until someone lets you in.',
    passed: /** @param {string} _ @param {string} __ @param {number} n */ (_, __, n) => `${count(n, 'message', 'messages')} inside, not for you before you are let in`,
    held: /** @param {string} who @param {string} _ @param {number} n */ (who, _, n) => `${who} is not let in yet. ${count(n, 'message of theirs waits', 'messages of theirs wait')}.`,
    heldread: /** @param {string} who */ (who) => `What ${who} said while waiting:`,
    timer: /** @param {string} who @param {string} _ @param {number} ttl */ (who, _, ttl) => (ttl > 0 ? `${who} set messages to vanish ${lasting(ttl)} after they are read` : `${who} set messages to stay`),
    moved: /** @param {string} by @param {string} names */ (by, names) => (names ? `${by} removed ${names}. The room has a new link.` : 'The room has a new link.'),
  },
  someone: 'Someone',
  you: 'You',
  self: 'you',
  fromTerminal: 'From a terminal',
  notVerified: 'sender not verified',
  failed: 'Could not be opened',
  gap: /** @param {number} n */ (n) => (n > 0 ? `${count(n, 'message', 'messages')} expired before you came back.` : 'Some messages expired before you came back.'),
  state: {
    queued: 'Waiting',
    sent: 'Sent',
    all: 'Everyone has it',
    expired: 'Expired before everyone had it',
    failed: 'Not sent',
  },

  // Files
  files: {
    attach: 'Add files',
    camera: 'Take a picture',
    tray: 'Files to send',
    caption: 'Caption',
    drop: 'Let go to add them',
    strip: 'Remove metadata',
    stripHint: 'Place, time and camera are taken out of pictures; they look the same.',
    /** @param {number} n @param {number} of */
    asIs: (n, of) => (of === 1 ? 'It is sent as it is.' : n === of ? 'They are sent as they are.' : `${count(n, 'other file is', 'other files are')} sent as they are.`),
    /** @param {string} size */
    limit: (size) => `Up to ${size} each goes to everyone at once; larger files wait until somebody gets them.`,
    /** @param {string} size */
    large: (size) => `What is over ${size} goes out when somebody gets it. Keep this page open until then.`,
    /** @param {string} name */
    tooLarge: (name) => `${name} is larger than 1 TB.`,
    /** @param {string} name */
    unreadable: (name) => `${name} could not be read.`,
    /** @param {string} name */
    remove: (name) => `Do not send ${name}`,
    /** @param {string} size */
    get: (size) => `Get ${size}`,
    /** @param {string} name */
    save: (name) => `Save ${name}`,
    /** @param {string} name */
    open: (name) => `Open ${name}`,
    /** @param {string} name */
    look: (name) => `Look at ${name}`,
    pictures: 'Pictures',
    before: 'Picture before',
    after: 'Next picture',
    sending: 'Sending',
    fetching: 'Getting',
    waits: 'Waiting for the sender',
    waitsOwn: 'Waiting for the network',
    /** @param {string} done @param {string} total @param {string} speed */
    far: (done, total, speed) => `${done} of ${total}${speed && ` · ${speed}`}`,
    stop: 'Stop getting it',
    takeBack: 'Take it back',
    offering: 'Goes out when somebody gets it',
    tookBack: 'You took it back.',
    stopped: 'Its sender took it back.',
    gone: 'Not available any more: its sender’s page has ended.',
    failed: 'It did not come through.',
    again: 'Try again',
    saved: 'Saved',
  },

  // Knock, member's side
  knockAsking: 'Someone is knocking',
  knockAskingText: 'Go to the door if you expect someone. They cannot see or hear anything in here.',
  answer: 'Go to the door',
  knockAnswered: 'At the door',
  knockAnsweredText: 'Waiting for their code.',
  knockCode: 'Their screen should show',
  knockCompare: 'Let them read their digits to you, by voice. If they are these, it is really them.',
  letIn: 'Let in',
  /** @param {string} who */
  letInName: (who) => `Let in ${who}`,
  refuse: 'Refuse',

  // Knock, stranger's side
  knockTitle: 'Knock',
  knockText: 'This address leads to the door of a private room. Someone inside can let you in.',
  knock: 'Knock',
  knockWaiting: 'Waiting for someone to hear you',
  knockYourCode: 'Read this to someone inside, by voice',
  knockYourCodeText: 'They see the same digits and let you in. Keep this page open.',
  knockRefused: 'Nobody let you in this time.',

  /** @param {number} n */
  manyWait: (n) => `${n} ${n === 1 ? 'waits' : 'wait'} to be let in`,

  // Ends
  removedTitle: 'You were removed',
  /** @param {string} by */
  removedText: (by) => `${by} has moved the room on without you. Nothing said from now on can be read here.`,
  closedTitle: 'The room is closed here',
  again: 'Enter again',
  toStart: 'To the start',

};
