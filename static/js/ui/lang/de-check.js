// @ts-check
/** Deutsch. */
/** @type {typeof import('./en-check.js').default} */
const text = {
  checkText: 'Nichts von dir wird gesendet: Die Proben entstehen hier, und das Relay behält keine davon.',
  checkStep: { relay: 'Versucht das Relay', streams: 'Versucht Streams', answers: 'Versucht Antworten, die enden', posts: 'Versucht zu senden' },
  checkWatching: (gone, of) => `Beobachtet, wie lange Streams halten: ${gone} von ${of} s`,
  checkStop: 'Beobachten beenden',
  checkAgain: 'Noch einmal prüfen',
  checkDone: 'Fertig',
  checkCopy: 'Bericht kopieren',
  checkDetails: 'Einzelheiten',
  checkVerdict: {
    unreachable: (why) => `Das Relay ist von hier nicht erreichbar: ${why}`,
    live: () => 'Live-Streams gehen hier durch: Nachrichten kommen sofort an.',
    octets: () => 'Ereignis-Streams werden hier zurückgehalten oder abgelehnt, aber dasselbe als einfache Bytes geht: Nachrichten kommen sofort an.',
    batch: () => 'Dieses Netz hält Streams zurück; snug bittet um Antworten, die gleich enden: Nachrichten brauchen einen Moment länger.',
    poll: () => 'Dieses Netz hält Streams zurück; snug fragt immer wieder nach: Nachrichten brauchen etwa eine Sekunde.',
    deaf: () => 'Hier kommen weder Streams noch Abfragen durch: Nachrichten können nicht empfangen werden.',
    mute: () => 'POSTs werden hier abgelehnt: Es kann nichts gesendet werden.',
    text: () => 'Binäre POSTs werden hier abgelehnt; snug sendet als Text.',
    small: (kib) => `POSTs über ${kib} KiB werden abgelehnt; Dateien gehen in kleinen Stücken.`,
    altered: () => 'Etwas dazwischen verändert Seiten unterwegs. Das Programm snug kann eine unveränderte liefern: snug ui.',
    cached: () => 'Etwas dazwischen antwortet anstelle des Relays aus einem Zwischenspeicher; snug macht jede Adresse neu.',
    lost: (names) => `Kopfzeilen gehen unterwegs verloren (${names}); snug braucht keine davon.`,
    cut: (s) => `Streams werden nach etwa ${s} s abgebrochen; snug öffnet den nächsten rechtzeitig.`,
    idle: (s) => `Stille Streams werden nach etwa ${s} s abgebrochen; die von snug sagen alle 10 s etwas.`,
  },
  checkRow: { relay: 'Relay', stream: 'Stream', octets: 'Stream als Bytes', batch: 'Antwort, die endet', poll: 'Lange Abfrage', posts: 'Größter POST', lost: 'Verlorene Kopfzeilen', added: 'Fremde Kopfzeilen', watch: 'Beobachtete Streams' },
  checkLive: (ms) => `live, ${ms} ms`,
  checkHeld: (bytes) => (bytes > 0 ? `in Blöcken von etwa ${bytes >> 10} KiB zurückgehalten` : 'bis zum Ende zurückgehalten'),
  checkNothing: 'nichts kommt an',
  checkPasses: (ms) => `geht durch, ${ms} ms verspätet`,
  checkFails: (why) => `geht nicht durch: ${why}`,
  checkPosts: (octets, text) => `${octets >> 10} KiB binär, ${text >> 10} KiB Text`,
  checkNone: 'keine',
  checkWatched: ({ seconds, cut, idle }) => `${seconds} s: ${cut ? `nach ${cut} s abgebrochen` : 'nicht abgebrochen'}, still ${idle ? `nach ${idle} s abgebrochen` : 'nicht abgebrochen'}`,
};

export default text;
