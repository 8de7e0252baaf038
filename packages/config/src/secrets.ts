/** Keeps secrets out of every text that leaves this package, also where the file is so broken that a secret stands at a wrong place. */

const MASK = '***';
/** Shorter ones would blot out ordinary words; they are only shown where they stand, and there they are masked anyway. */
const SHORTEST = 4;
/** A key such as `token:abc` that lost the blank after its colon becomes part of some other text. */
const KEY_AND_VALUE = /\b(token|mqttPassword|password)(["']?\s*[:=]\s*)\S.*/is;
/** KubeEdge's join token: a hash and a JSON web token, or the latter alone. */
const JOIN_TOKEN = /([0-9a-f]{64}\.)?eyJ[\w-]*(\.[\w-]*){0,2}/gi;
const URL_USER = /(\/\/)[^/@\s"]*@/g;

export class Secrets {
  readonly #known = new Set<string>();

  /** Remembers a value that must not be shown. */
  add(value: string): void {
    for (const part of [value, value.trim(), JSON.stringify(value).slice(1, -1)]) if (part.length >= SHORTEST) this.#known.add(part);
  }

  /** The text without anything secret in it. */
  scrub(text: string): string {
    let clean = text;
    for (const secret of [...this.#known].sort((a, b) => b.length - a.length)) clean = clean.replaceAll(secret, MASK);
    return clean.replace(KEY_AND_VALUE, `$1$2${MASK}`).replace(JOIN_TOKEN, MASK).replace(URL_USER, `$1${MASK}@`);
  }
}
