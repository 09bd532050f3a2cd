// Reads off the text of an operation whether it may be sent twice.
import { parsed } from "./transport.js";

/** Returns what a body asks for: a query, a mutation of one field, or what nobody can tell, such as a hash alone. */
export function kindOf(body: string): "query" | "mutation" | undefined {
  let text = parsed<{ query?: string }>(body)?.query ?? "";
  text = text.replace(/"""[^]*?"""|"(\\.|[^"\\])*"|#.*|@\s*\w+|\w+\s*:/g, "");
  // What is in parentheses, and all levels but the first.
  for (const inner of [/()\([^()]*\)/, /(\{[^{}]*)\{[^{}]*\}/]) while (inner.test(text)) text = text.replace(inner, "$1");
  const operations = text.match(/(?<=^|\})(?!\s*fragment\b)[^{}]*\{[^}]*/g) ?? [];
  if (!operations.some((each) => /^\s*mutation\b/.test(each))) return operations[0] ? "query" : undefined;
  return operations.length === 1 && /\{[^\w.]*\w+[^\w.]*$/.test(operations[0] ?? "") ? "mutation" : undefined;
}
