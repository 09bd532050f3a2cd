import { defineConfig, loadGraphQLHTTPSubgraph } from "@graphql-mesh/compose-cli";

export const composeConfig = defineConfig({
  subgraphs: ["customers", "orders"].map((name) => ({
    sourceHandler: loadGraphQLHTTPSubgraph(name, {
      endpoint: `http://${name}.test/graphql`,
      source: `${process.cwd()}/${name}.graphql`,
    }),
  })),
});
