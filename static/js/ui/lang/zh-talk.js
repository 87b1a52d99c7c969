// @ts-check
/** 简体中文。 */
import { lasting, list } from './zh.js';

/** @type {typeof import('./en-talk.js').default} */
const text = {
  replyTo: (who) => `回复${who}`,
  replyToSelf: '回复自己',
  editing: '修改你说过的话',
  stopReply: '不回复',
  stopEdit: '保持原样',
  save: '保存',
  typing: (who) => (who.length > 3 ? '多人正在输入' : `${list(who)}正在输入`),
  commandMe: '写下你在做什么：/me 挥手',
  commandNicked: (alias) => `你现在叫${alias}。`,
  commandUnknown: (name) => `没有 /${name} 这个命令，所以没有发送。输入 /help 查看所有命令；要发送以斜杠开头的内容，请以 // 开头。`,
  commandsTitle: '命令',
  commands: {
    nick: '换一个名字',
    me: '说你在做什么：/me 挥手',
    clear: '清空此浏览器里的对话；其他人的保留',
    help: '显示这些说明',
    slash: '发送以斜杠开头的内容',
  },
  marksTitle: '格式',
  marks: { bold: '粗体', italic: '斜体', struck: '删除线', hidden: '点开才显示', code: '代码；上下各加三个反引号成为代码块', quote: '引用', list: '列表', link: '链接' },
  keysTitle: '按键',
  keys: { send: '发送', line: '换行', up: '输入框为空时，修改你的上一条消息', escape: '放弃回复或修改', messages: '在消息间移动', menu: '在消息上：查看可以对它做什么' },
  code: (lang) => (lang ? `代码，${lang}` : '代码'),
  copyCode: '复制代码',
  vanishes: (n) => `阅读 ${lasting(n)}后消失`,
  andMore: (event, more) => `${event}，另有 ${more} 次进出`,
  messageMenu: '更多',
  react: '回应',
  reply: '回复',
  edit: '编辑',
  erase: '删除',
  copyText: '复制文字',
  otherEmoji: '其他表情',
  reactWith: (emoji) => `用 ${emoji} 回应`,
  takeBack: (emoji) => `撤回 ${emoji}`,
  whoLacks: '谁还没有收到？',
  lacks: (who) => `${list(who)}还没有收到`,
  lacksUnknown: '目前无法得知',
  eraseTitle: '删除这条消息？',
  eraseText: '它会从所有人那里撤回。已经读过的人仍然读过了。',
  emojiGroups: { faces: '笑脸', people: '人物', nature: '自然', food: '食物', things: '物品', signs: '符号' },
  edited: '已编辑',
  notHere: '已不在这里',
};

export default text;
