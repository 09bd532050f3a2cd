import { InMemoryCache } from "@apollo/client";

/** Things with an id are kept once, wherever they come from. Values without one are parts of what they hang on. */
export function shopCache(): InMemoryCache {
  return new InMemoryCache({
    typePolicies: {
      // Two operations select different fields of these: what the second brings is added to the first's.
      AnonymizationInfo: { merge: true },
      B2BDetails: { merge: true },
      Metadata: { merge: true },
      PasswordRules: { merge: true },
      SecondFactor: { merge: true },
      SignInMethods: { merge: true },
    },
  });
}
