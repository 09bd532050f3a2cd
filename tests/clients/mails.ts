// The mails of the gateway, which development writes as files, for the programs of the tests.
import { readFile, readdir } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";

const MAILS = String(process.env["MAILS"]);
const opened = new Set<string>();

export const CODE = /^ {4}(\d{6})\s*$/m;
export const LINK = /token=(cg_ot_[\w-]+)/;

/** Returns what the next mail has of this form, as soon as it is there. */
export async function mailed(form: RegExp): Promise<string> {
  for (;;) {
    const files = (await readdir(MAILS).catch(() => [])).filter((name) => name.endsWith(".eml") && !opened.has(name));
    for (const name of files) {
      const found = form.exec(readable(await readFile(`${MAILS}/${name}`, "utf8")))?.[1];
      if (!found) continue;
      opened.add(name);
      return found;
    }
    await setTimeout(20);
  }
}

/** Undoes quoted-printable: lines that were cut, and characters that are written as numbers. */
function readable(mail: string): string {
  const whole = mail.replace(/=\r?\n/g, "");
  return whole.replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
