// Walks everything that can be reached from an object, private fields and map entries too, by way of the debugger, and collects
// the byte arrays: what somebody would find who got hold of the memory of a live page.
import inspector from 'node:inspector';

const SKIPPED = new Set(['[[Prototype]]', '[[Scopes]]', '[[FunctionLocation]]', '__proto__']);

/** @returns {Set<string>} each byte array in hexadecimal */
export function bytesWithin(root) {
  const session = new inspector.Session();
  session.connect();
  const post = (method, params) => {
    let out;
    session.post(method, params, (error, result) => {
      if (error) throw new Error(`${method}: ${error.message}`);
      out = result;
    });
    return out;
  };
  const seen = new Set();
  const found = new Set();
  globalThis.snugWalk = {
    root,
    visit(object) {
      if (seen.has(object)) return false;
      seen.add(object);
      if (!ArrayBuffer.isView(object)) return true;
      found.add(Buffer.from(object.buffer, object.byteOffset, object.byteLength).toString('hex'));
      return false;
    },
  };
  const todo = [post('Runtime.evaluate', { expression: 'snugWalk.root' }).result.objectId];
  while (todo.length > 0) {
    const objectId = todo.pop();
    const functionDeclaration = 'function () { return snugWalk.visit(this); }';
    const fresh = post('Runtime.callFunctionOn', { objectId, functionDeclaration, returnByValue: true }).result.value;
    if (!fresh) continue;
    const all = post('Runtime.getProperties', { objectId, ownProperties: true });
    for (const { name, value } of [...all.result, ...(all.privateProperties ?? []), ...(all.internalProperties ?? [])]) {
      if (value?.objectId && value.type !== 'function' && !SKIPPED.has(name)) todo.push(value.objectId);
    }
  }
  delete globalThis.snugWalk;
  session.disconnect();
  return found;
}

/** Records every secret that becomes an HKDF key while work runs: chain keys, in order. Gives copies of them. */
export async function watchingChainKeys(work) {
  const { subtle } = globalThis.crypto;
  const original = subtle.importKey;
  const seen = [];
  subtle.importKey = function importKey(format, data, algorithm, ...rest) {
    if (algorithm === 'HKDF') seen.push(Buffer.from(data).toString('hex'));
    return original.call(this, format, data, algorithm, ...rest);
  };
  try {
    await work();
  } finally {
    delete subtle.importKey;
  }
  return seen;
}
