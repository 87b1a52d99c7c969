// @ts-check
/** 日本語。 */
import { lasting, list } from './ja.js';

/** @type {typeof import('./en-talk.js').default} */
const text = {
  replyTo: (who) => `${who}に返信`,
  replyToSelf: '自分に返信',
  editing: '自分の発言を変更',
  stopReply: '返信をやめる',
  stopEdit: '元のままにする',
  save: '保存',
  typing: (who) => (who.length > 3 ? '複数の人が入力中' : `${list(who)}が入力中`),
  commandMe: 'していることを書きます：/me 手を振る',
  commandNicked: (alias) => `これからの名前は${alias}です。`,
  commandUnknown: (name) => `/${name} というコマンドはないので、送信しませんでした。/help で一覧を表示します。スラッシュで始まる行を送るには // で始めてください。`,
  commandsTitle: 'コマンド',
  commands: {
    nick: '名前を変える',
    me: 'していることを伝える：/me 手を振る',
    clear: 'このブラウザの会話を空にする（ほかの人の会話は残ります）',
    help: 'この説明を表示する',
    slash: 'スラッシュで始まる行を送る',
  },
  marksTitle: '書き方',
  marks: { bold: '太字', italic: '斜体', struck: '取り消し線', hidden: '求められるまで隠す', code: 'コード。上下にバッククォート三つでブロックになります', quote: '引用', list: 'リスト', link: 'リンク' },
  keysTitle: 'キー',
  keys: { send: '送信', line: '改行', up: '入力欄が空のとき、最後の自分のメッセージを変更', escape: '返信や変更をやめる', messages: 'メッセージを移動', menu: 'メッセージの上で、できることを表示' },
  code: (lang) => (lang ? `コード、${lang}` : 'コード'),
  copyCode: 'コードをコピー',
  vanishes: (n) => `読んでから${lasting(n)}で消えます`,
  andMore: (event, more) => `${event}、ほか${more}件の入退室`,
  messageMenu: 'その他',
  react: 'リアクション',
  reply: '返信',
  edit: '編集',
  erase: '削除',
  copyText: 'テキストをコピー',
  otherEmoji: 'ほかの絵文字',
  reactWith: (emoji) => `${emoji} でリアクション`,
  takeBack: (emoji) => `${emoji} を取り消す`,
  whoLacks: 'まだ届いていない人は？',
  lacks: (who) => `${list(who)}にはまだ届いていません`,
  lacksUnknown: '今はわかりません',
  eraseTitle: 'このメッセージを削除しますか？',
  eraseText: '全員のところから取り消されます。読んだ人は、もう読んでいます。',
  emojiGroups: { faces: '顔', people: '人', nature: '自然', food: '食べ物', things: 'もの', signs: '記号' },
  edited: '編集済み',
  notHere: 'もうここにはありません',
};

export default text;
