// Prints what the client library takes each text for that it is given as JSON.
import { readFileSync } from "node:fs";

const { kindOf } = await import(`${process.env["LIBRARY"]}/documents.js`);
const bodies = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify(bodies.map((body) => kindOf(JSON.stringify(body)) ?? null)));
