// Writes generated/graphql.ts: a type for each operation of operations.graphql, as schema.graphql has it.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { codegen } from "@graphql-codegen/core";
import * as typedDocumentNode from "@graphql-codegen/typed-document-node";
import * as typescriptOperations from "@graphql-codegen/typescript-operations";
import { buildASTSchema, parse, validate } from "graphql";

const schema = parse(readFileSync(new URL("../../schema.graphql", import.meta.url), "utf8"));
const document = parse(readFileSync(new URL("operations.graphql", import.meta.url), "utf8"));
const faults = validate(buildASTSchema(schema), document);
if (faults.length > 0) throw new Error(faults.join("\n"));

const types = {
  enumsAsTypes: true,
  scalars: { Date: "string", DateTime: "string", JSON: "Record<string, unknown>", _Any: "unknown" },
  strictScalars: true,
  useTypeImports: true,
};
const code = await codegen({
  schema,
  documents: [{ location: "operations.graphql", document }],
  config: types,
  filename: "generated/graphql.ts",
  plugins: [{ operations: {} }, { documents: {} }],
  pluginMap: { operations: typescriptOperations, documents: typedDocumentNode },
});
mkdirSync(new URL("generated/", import.meta.url), { recursive: true });
writeFileSync(new URL("generated/graphql.ts", import.meta.url), code);
