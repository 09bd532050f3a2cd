// Composes the subgraph of standard input with the order service's, and prints what is wrong and the whole schema.
import { readFileSync } from "node:fs";
import { composeServices } from "@apollo/composition";
import { parse } from "graphql";

const customers = parse(readFileSync(0, "utf8"));
const orders = parse(readFileSync(new URL("orders.graphql", import.meta.url), "utf8"));
const { errors, hints, supergraphSdl } = composeServices([
  { name: "customers", url: "http://customers.test/graphql", typeDefs: customers },
  { name: "orders", url: "http://orders.test/graphql", typeDefs: orders },
]);
console.log(JSON.stringify({ errors: (errors ?? []).map(String), hints: (hints ?? []).map(String), supergraphSdl }));
