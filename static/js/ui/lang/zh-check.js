// @ts-check
/** 简体中文。 */
/** @type {typeof import('./en-check.js').default} */
const text = {
  checkText: '不会发送你的任何内容：测试数据都在这里生成，中继也不保留。',
  checkStep: { relay: '正在测试中继', streams: '正在测试实时连接', answers: '正在测试会结束的应答', posts: '正在测试发送' },
  checkWatching: (gone, of) => `正在观察实时连接能维持多久：${gone} / ${of} 秒`,
  checkStop: '停止观察',
  checkAgain: '再测一次',
  checkDone: '完成',
  checkCopy: '复制报告',
  checkDetails: '详情',
  checkVerdict: {
    unreachable: (why) => `从这里无法连接到中继：${why}`,
    live: () => '实时连接在这里可用：消息会立刻送达。',
    octets: () => '事件流在这里被扣住或拒绝，但以普通字节传输可行：消息会立刻送达。',
    batch: () => '此网络会扣住实时数据；snug 改用立即结束的应答：消息会稍慢一点。',
    poll: () => '此网络会扣住实时数据；snug 改用轮询：消息大约慢一秒。',
    deaf: () => '实时连接和轮询在这里都不通：无法接收消息。',
    mute: () => '这里拒绝 POST：什么也发不出去。',
    text: () => '这里拒绝二进制 POST；snug 改为以文本发送。',
    small: (kib) => `超过 ${kib} KiB 的 POST 会被拒绝；文件会分成小块发送。`,
    altered: () => '中间有东西在途中改动页面。snug 程序可以提供未被改动的页面：snug ui。',
    cached: () => '中间有东西用缓存代替中继应答；snug 会让每个地址都不同。',
    lost: (names) => `有些标头在途中被去掉（${names}）；snug 一个都不需要。`,
    cut: (s) => `实时连接大约 ${s} 秒后被切断；snug 会及时打开下一个。`,
    idle: (s) => `静默的连接大约 ${s} 秒后被切断；snug 的连接每 10 秒都有动静。`,
  },
  checkRow: { relay: '中继', stream: '实时连接', octets: '以字节传输', batch: '会结束的应答', poll: '长轮询', posts: '最大的 POST', lost: '丢失的标头', added: '添加的标头', watch: '观察到的连接' },
  checkLive: (ms) => `实时，${ms} 毫秒`,
  checkHeld: (bytes) => (bytes > 0 ? `按约 ${bytes >> 10} KiB 一块扣住` : '一直扣到结束'),
  checkNothing: '什么也没收到',
  checkPasses: (ms) => `可通过，晚 ${ms} 毫秒`,
  checkFails: (why) => `不通：${why}`,
  checkPosts: (octets, text) => `二进制 ${octets >> 10} KiB，文本 ${text >> 10} KiB`,
  checkNone: '无',
  checkWatched: ({ seconds, cut, idle }) => `${seconds} 秒：${cut ? `${cut} 秒后切断` : '未切断'}，静默时${idle ? `${idle} 秒后切断` : '未切断'}`,
};

export default text;
