import { type GraphQLTaggedNode, graphql } from "relay-runtime";

/** What the page of the profile shows, in the words of its parts. */
export const addressBook: GraphQLTaggedNode = graphql`
  fragment profileAddresses on Customer {
    addresses {
      id
      city
      isDefault
    }
  }
`;

export const profile: GraphQLTaggedNode = graphql`
  query profileQuery {
    me {
      id
      firstName
      ...profileAddresses
    }
  }
`;

export const tagged: GraphQLTaggedNode = graphql`
  query profileTaggedQuery($tag: String!) {
    addresses(tag: $tag) {
      id
    }
  }
`;

export const rename: GraphQLTaggedNode = graphql`
  mutation profileRenameMutation($input: UpdateMeInput!) {
    updateMe(input: $input) {
      customer {
        id
        firstName
      }
      userErrors {
        code
        field
        message
      }
    }
  }
`;
