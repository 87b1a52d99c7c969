// @ts-check
/** 日本語。 */
/** @type {typeof import('./en-check.js').default} */
const text = {
  checkText: 'あなたのデータは送信しません。テスト用のデータはここで作られ、中継サーバーにも残りません。',
  checkStep: { relay: '中継サーバーを確認中', streams: 'ストリームを確認中', answers: 'すぐ終わる応答を確認中', posts: '送信を確認中' },
  checkWatching: (gone, of) => `ストリームの持続時間を観察中: ${gone} / ${of} 秒`,
  checkStop: '観察を終える',
  checkAgain: 'もう一度確認',
  checkDone: '完了',
  checkCopy: '結果をコピー',
  checkDetails: '詳細',
  checkVerdict: {
    unreachable: (why) => `ここからは中継サーバーに接続できません: ${why}`,
    live: () => 'ここではストリームが使えます。メッセージはすぐに届きます。',
    octets: () => 'イベントストリームはせき止められるか拒否されますが、通常のバイト列なら通ります。メッセージはすぐに届きます。',
    batch: () => 'このネットワークはストリームをせき止めます。snug はすぐ終わる応答を使うため、メッセージは少し遅れて届きます。',
    poll: () => 'このネットワークはストリームをせき止めます。snug はポーリングを使い、メッセージは約1秒で届きます。',
    deaf: () => 'ストリームもポーリングも通りません。メッセージを受信できません。',
    mute: () => 'POST が拒否されます。何も送信できません。',
    text: () => 'バイナリの POST が拒否されるため、snug はテキストとして送信します。',
    small: (kib) => `${kib} KiB を超える POST は拒否されます。ファイルは小さく分けて送られます。`,
    altered: () => '途中でページが書き換えられています。snug プログラムなら、元のままのページを提供できます: snug ui。',
    cached: () => '途中の何かがキャッシュから応答しています。snug は毎回新しいアドレスを使います。',
    lost: (names) => `途中でヘッダーが取り除かれます（${names}）。snug はどれも必要としません。`,
    cut: (s) => `ストリームは約 ${s} 秒で切断されます。snug は間に合うように次を開きます。`,
    idle: (s) => `無通信のストリームは約 ${s} 秒で切断されます。snug のストリームは10秒ごとに通信します。`,
  },
  checkRow: { relay: '中継サーバー', stream: 'ストリーム', octets: 'バイト列のストリーム', batch: 'すぐ終わる応答', poll: 'ロングポーリング', posts: '最大の POST', lost: '失われたヘッダー', added: '追加されたヘッダー', watch: '観察したストリーム' },
  checkLive: (ms) => `ライブ、${ms} ミリ秒`,
  checkHeld: (bytes) => (bytes > 0 ? `約 ${bytes >> 10} KiB ずつせき止められる` : '最後までせき止められる'),
  checkNothing: '何も届かない',
  checkPasses: (ms) => `通る、${ms} ミリ秒の遅れ`,
  checkFails: (why) => `通らない: ${why}`,
  checkPosts: (octets, text) => `バイナリ ${octets >> 10} KiB、テキスト ${text >> 10} KiB`,
  checkNone: 'なし',
  checkWatched: ({ seconds, cut, idle }) => `${seconds} 秒: ${cut ? `${cut} 秒で切断` : '切断なし'}、無通信では${idle ? `${idle} 秒で切断` : '切断なし'}`,
};

export default text;
