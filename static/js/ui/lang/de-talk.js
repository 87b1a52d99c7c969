// @ts-check
/** Deutsch. */
import { lasting, list } from './de.js';

/** @type {typeof import('./en-talk.js').default} */
const text = {
  replyTo: (who) => `Antwort an ${who}`,
  replyToSelf: 'Antwort an dich selbst',
  editing: 'Ändern, was du gesagt hast',
  stopReply: 'Nicht antworten',
  stopEdit: 'Lassen, wie es war',
  save: 'Speichern',
  typing: (who) => (who.length > 3 ? 'Mehrere schreiben' : `${list(who)} ${who.length === 1 ? 'schreibt' : 'schreiben'}`),
  commandMe: 'Schreib, was du tust: /me winkt',
  commandNicked: (alias) => `Du heißt jetzt ${alias}.`,
  commandUnknown: (name) => `Einen Befehl /${name} gibt es nicht, deshalb wurde das nicht gesendet. /help zeigt, welche es gibt; eine Zeile, die mit einem Schrägstrich beginnen soll, fängt mit // an.`,
  commandsTitle: 'Befehle',
  commands: {
    nick: 'einen anderen Namen annehmen',
    me: 'sagen, was du tust: /me winkt',
    clear: 'das Gespräch in diesem Browser leeren; die anderen behalten ihres',
    help: 'das hier zeigen',
    slash: 'eine Zeile senden, die mit einem Schrägstrich beginnt',
  },
  marksTitle: 'Auszeichnen',
  marks: { bold: 'fett', italic: 'kursiv', struck: 'durchgestrichen', hidden: 'verborgen, bis jemand es sehen will', code: 'Code; drei Backticks darüber und darunter machen einen Block', quote: 'Zitat', list: 'Liste', link: 'Verweis' },
  keysTitle: 'Tasten',
  keys: {
    send: 'senden', line: 'neue Zeile', up: 'die letzte eigene Nachricht ändern, wenn das Feld leer ist', escape: 'Antwort oder Änderung verlassen',
    messages: 'durch die Nachrichten gehen', menu: 'auf einer Nachricht: was sich mit ihr tun lässt',
  },
  code: (lang) => (lang ? `Programmcode, ${lang}` : 'Programmcode'),
  copyCode: 'Code kopieren',
  vanishes: (n) => `Verschwindet ${lasting(n)} nach dem Lesen`,
  andMore: (event, more) => `${event}, und ${more} weitere kamen oder gingen`,
  messageMenu: 'Mehr',
  react: 'Reagieren',
  reply: 'Antworten',
  edit: 'Ändern',
  erase: 'Löschen',
  copyText: 'Text kopieren',
  otherEmoji: 'Andere Emojis',
  reactWith: (emoji) => `Mit ${emoji} reagieren`,
  takeBack: (emoji) => `${emoji} zurücknehmen`,
  whoLacks: 'Wer hat sie noch nicht?',
  lacks: (who) => `${list(who)} ${who.length === 1 ? 'hat' : 'haben'} sie noch nicht`,
  lacksUnknown: 'Im Moment nicht bekannt',
  eraseTitle: 'Diese Nachricht löschen?',
  eraseText: 'Sie wird bei allen zurückgenommen. Wer sie gelesen hat, hat sie gelesen.',
  emojiGroups: { faces: 'Gesichter', people: 'Menschen', nature: 'Natur', food: 'Essen', things: 'Dinge', signs: 'Zeichen' },
  edited: 'bearbeitet',
  notHere: 'Nicht mehr hier',
};

export default text;
