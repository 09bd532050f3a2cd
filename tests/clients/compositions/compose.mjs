// Composes the subgraph of standard input with the order service's, in each way, and prints what each has to say.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { composeServices } from "@theguild/federation-composition";
import { ROUTER_COMPATIBILITY_VERSION_ONE, federateSubgraphs } from "@wundergraph/composition";
import { parse } from "graphql";

const texts = {
  customers: readFileSync(0, "utf8"),
  orders: readFileSync(new URL("../orders.graphql", import.meta.url), "utf8"),
};
const services = Object.entries(texts).map(([name, text]) => ({
  name,
  url: `http://${name}.test/graphql`,
  document: parse(text),
}));

function hive() {
  const { errors, supergraphSdl } = composeServices(
    services.map(({ name, url, document }) => ({ name, url, typeDefs: document })),
  );
  return { errors: (errors ?? []).map(String), whole: supergraphSdl ?? "" };
}

function cosmo() {
  const composed = federateSubgraphs({
    subgraphs: services.map(({ name, url, document }) => ({ name, url, definitions: document })),
    version: ROUTER_COMPATIBILITY_VERSION_ONE,
  });
  if (!composed.success) return { errors: composed.errors.map(String), whole: "" };
  return { errors: composed.warnings.map(String), whole: JSON.stringify(composed.federatedGraphAST) };
}

function mesh() {
  const folder = mkdtempSync(join(tmpdir(), "mesh-"));
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(folder, `${name}.graphql`), text);
  const command = new URL("node_modules/@graphql-mesh/compose-cli/esm/bin.js", import.meta.url).pathname;
  const config = new URL("mesh.config.mjs", import.meta.url).pathname;
  try {
    const said = execFileSync(process.execPath, [command, "-c", config, "-o", join(folder, "whole.graphql")], {
      cwd: folder,
      stdio: "pipe",
    });
    const faults = String(said).split("\n").filter((line) => /ERROR|WARN/.test(line));
    return { errors: faults, whole: readFileSync(join(folder, "whole.graphql"), "utf8") };
  } catch (error) {
    return { errors: [String(error.stdout) + String(error.stderr)], whole: "" };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

console.log(JSON.stringify({ hive: hive(), cosmo: cosmo(), mesh: mesh() }));
