// Compiles the operations of relay/ against schema.graphql, and bundles relay/app.ts with what has become of them.
import { execFileSync } from "node:child_process";
import { mkdir, readFile } from "node:fs/promises";
import { transformAsync } from "@babel/core";
import * as esbuild from "esbuild";
import compiler from "relay-compiler";

const config = JSON.parse(await readFile("relay.config.json", "utf8"));
// The compiler writes into a folder, and does not make it.
await mkdir(config.artifactDirectory, { recursive: true });
execFileSync(compiler, [], { stdio: "inherit" });

// As in a Babel preset: each graphql`…` becomes an import of what the compiler has written.
const tags = {
  name: "relay",
  setup(build) {
    build.onLoad({ filter: /clients\/relay\/\w+\.ts$/ }, async ({ path }) => {
      const { code: source } = await esbuild.transform(await readFile(path, "utf8"), { loader: "ts" });
      const plugins = [["relay", config]];
      const { code } = await transformAsync(source, { filename: path, plugins, babelrc: false, configFile: false });
      return { contents: code, loader: "js" };
    });
  },
};
await esbuild.build({
  entryPoints: ["relay/app.ts"],
  outfile: "build/relay_app.js",
  bundle: true,
  format: "esm",
  platform: "node",
  packages: "external",
  plugins: [tags],
});
