// @ts-check
/** English, for more than plain text in a room. */
import { count, lasting, list } from './en.js';

export default {
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
  andMore: (event, more) => `${event}, and ${count(more, 'more coming or going', 'more comings and goings')}`,
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
};
