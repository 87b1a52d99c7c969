// @ts-check
/** English. A text with something to fill in is a function. */

/** @param {number} n @param {string} one @param {string} many */
const count = (n, one, many) => `${n} ${n === 1 ? one : many}`;

/** Names in a sentence. @param {string[]} who */
const list = (who) => new Intl.ListFormat('en').format(who);

/** @param {number} s seconds */
const lasting = (s) => {
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
  keepHint: 'So you come back as the same member, to what you missed; what you have read is kept nowhere. Leave it off on a device that is not yours.',
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
  aboutGone: 'The message you were answering or changing is gone. What you typed is still here.',
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
  aloneOther: 'Did you expect someone? One other letter in the name or the passphrase leads to another room.',
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
    heldread: /** @param {string} who */ (who) => `${who} wrote while waiting. You find it below.`,
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
    noPdf: 'This is no PDF, whatever its name says. It can be saved, but is not opened.',
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
    stopped: 'Its sender stopped sending it.',
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

  // The panels of a room
  away: 'away',
  fingerprint: 'Fingerprint',
  /** @param {string} who */
  fingerprintText: (who) => `Call ${who}, or meet. They open People on their screen, tap their own name and read this line to you. If it is the same, it is really them, and nobody listens in between.`,
  fingerprintOwn: 'Read this line to the others, by phone or in person, when they want to be sure it is you.',
  verify: 'Mark as verified',
  unverify: 'No longer verified',
  verified: 'verified',
  rename: 'Change name',
  changedTitle: 'A different key',
  /** @param {string} who */
  changedText: (who) => `${who} shows another key than before: a new browser, or someone else under that name. Compare the new fingerprint by voice first.`,
  /** @param {string} name */
  changedName: (name) => `They call themselves ${name} now.`,
  accept: 'It is them, accept',
  remove: 'Remove from the room',
  /** @param {string} who */
  removeTitle: (who) => `Remove ${who}?`,
  /** @param {string} who */
  removeText: (who) => `Everyone else moves to a new room with a new key. ${who} can read nothing from then on.`,
  removePass: 'The passphrase no longer opens it: the room becomes a link room.',
  removeDo: 'Remove',
  removing: 'Removing. Everyone else moves as soon as the relay has it.',
  safety: 'Safety code',
  safetyText: 'One of you reads it to the others, by phone or in person. If all screens show the same digits, only the people in this list can read along.',
  safetyWhy: 'Why, and what if it differs?',
  safetyWhyText: 'It is made from the keys of everyone in the list. Someone who secretly sat in between would need a key of their own, and the digits would differ. If they do, first check that all see the same people and nobody has just come or gone; if they still differ, say nothing private here and open a new room.',
  waiting: 'Waiting to be let in',
  waitingText: 'They have the link, but read nothing until one of you lets them in. If you do not know who it is, ask by another way first.',
  /** @param {string} who */
  oneWaits: (who) => `${who} waits to be let in`,
  oneWaitsText: 'The room is locked. They read nothing until then.',
  look: 'Look',
  waitsTitle: 'This room is locked',
  waitsText: 'The people inside see that you are here, and can let you in. What you write meanwhile they read then.',
  lock: 'Lock the room',
  lockText: 'Whoever comes after that reads nothing until one of you lets them in.',
  lockedText: 'Locked. Whoever comes waits until one of you lets them in. Unlocking lets in all who wait.',
  inviteLink: 'The link',
  inviteLinkText: 'It is the key to this room. Send it only to people you want in here.',
  invitePass: 'Name and passphrase',
  invitePassText: 'Others open this address and type the same room name and passphrase. Tell them both in person or by phone, not where others read along.',
  pageAddress: 'The address of this page',
  copyAddress: 'Copy address',
  qrName: 'QR code of the link',
  qrHint: 'It is the link, so show it only to people you want in here.',
  ownPhone: 'Open on my phone',
  ownPhoneText: 'Point its camera at the code. Your phone comes in as a member of its own, beside this one, and reads what is said from then on.',
  ownPhonePass: 'Open the same address there, and type the same room name and passphrase. Your phone comes in as a member of its own, beside this one, and reads what is said from then on.',
  inviteKnock: 'Let people knock',
  inviteKnockText: 'This link holds no key. Whoever opens it can knock; you compare six digits by voice and let them in.',
  copyKnock: 'Copy knock link',
  terminal: 'Terminal',
  terminalTitle: 'Send from a terminal',
  terminalText: 'Paste this into a shell with openssl and curl. It seals on that machine, for this room.',
  terminalUse: 'Then:',
  terminalNote: 'It can send, not read. What it sends is shown as not verified, since anyone with this text can send it. The key of each message stands in the process list for a moment.',
  copyShell: 'Copy the function',
  room: 'Room',
  timerTitle: 'Vanishing messages',
  timerText: 'A message vanishes for each reader some time after they have read it. For everyone in the room, from the next message on.',
  timerOff: 'Messages stay',
  /** @param {number} n seconds */
  timerAfter: (n) => lasting(n),
  typingTitle: 'Typing',
  typingShow: 'Show the others when I type',
  typingHint: 'In all rooms in this browser.',
  device: 'This device',
  keptHere: 'This room is kept here. You come back as the same member.',
  notKept: 'Nothing of this room stays here once you leave.',
  notKeptLink: 'No key of yours stays here once you leave. The link stays in the browser’s history.',
  leave: 'Leave',
  leaveText: 'You can come back with the link.',
  leaveTextKept: 'The room stays among your rooms on the start screen of this device.',
  leaveTextPass: 'You can come back with the passphrase.',
  leaveWipe: 'Leave and wipe',
  leaveWipeText: 'Also forgets the room and its keys on this device.',
  wipeText: 'The room and its keys are forgotten on this device.',
  leaving: 'Leaving',
  leaveTitle: 'Leave this room?',
  wipeTitle: 'Leave and forget everything?',

  // More than plain text
  /** @param {string} who */
  replyTo: (who) => `Reply to ${who}`,
  replyToSelf: 'Reply to yourself',
  editing: 'Change what you said',
  stopReply: 'Do not reply',
  stopEdit: 'Leave it as it was',
  save: 'Save',
  /** @param {string[]} who */
  typing: (who) => (who.length > 3 ? 'Several people are typing' : `${list(who)} ${who.length === 1 ? 'is' : 'are'} typing`),
  commandMe: 'Write what you do: /me waves',
  /** @param {string} alias */
  commandNicked: (alias) => `You are ${alias} now.`,
  /** @param {string} name */
  commandUnknown: (name) => `There is no command /${name}, so this was not sent. /help shows those there are; begin with // to send a line that begins with a slash.`,
  commandsTitle: 'Commands',
  commands: {
    nick: 'take another name',
    me: 'say what you do: /me waves',
    clear: 'empty the conversation in this browser; the others keep theirs',
    help: 'show this',
    slash: 'send a line that begins with a slash',
  },
  marksTitle: 'Writing',
  marks: { bold: 'bold', italic: 'italic', struck: 'struck out', hidden: 'hidden until asked for', code: 'code; three backticks above and below make a block', quote: 'quote', list: 'list', link: 'link' },
  keysTitle: 'Keys',
  keys: {
    send: 'send', line: 'new line', up: 'change your last message, when the field is empty', escape: 'leave a reply or a change',
    messages: 'go through the messages', menu: 'at a message: what can be done with it',
  },

  /** @param {string} lang */
  code: (lang) => (lang ? `Code, ${lang}` : 'Code'),
  copyCode: 'Copy the code',
  /** @param {number} n seconds */
  vanishes: (n) => `Vanishes ${lasting(n)} after it is read`,
  /** @param {string} event @param {number} more */
  andMore: (event, more) => `${event}, and ${more} more of the kind`,
  messageMenu: 'More',
  react: 'React',
  reply: 'Reply',
  edit: 'Edit',
  erase: 'Delete',
  copyText: 'Copy text',
  otherEmoji: 'Other emoji',
  /** @param {string} emoji */
  reactWith: (emoji) => `React with ${emoji}`,
  /** @param {string} emoji */
  takeBack: (emoji) => `Take ${emoji} back`,
  whoLacks: 'Who does not have it yet?',
  /** @param {string[]} who */
  lacks: (who) => `${list(who)} ${who.length === 1 ? 'does' : 'do'} not have it yet`,
  lacksUnknown: 'Not known at the moment',
  eraseTitle: 'Delete this message?',
  eraseText: 'It is taken back from everyone. Whoever has read it has read it.',
  emojiGroups: { faces: 'Faces', people: 'People', nature: 'Nature', food: 'Food', things: 'Things', signs: 'Signs' },
  edited: 'edited',
  notHere: 'Not here any more',

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
