// What a Relay application writes: a paginated list and a page of the ticket's own articles, both refetchable.
import { graphql } from "relay-runtime";

graphql`
  query pagesQuery($first: Int!, $after: String) {
    ...pages_tickets @arguments(first: $first, after: $after)
  }
`;

graphql`
  fragment pages_tickets on Query
  @argumentDefinitions(first: { type: "Int!" }, after: { type: "String" })
  @refetchable(queryName: "pagesPaginationQuery") {
    tickets(first: $first, after: $after, orderBy: [{ databaseId: ASC }]) @connection(key: "pages_tickets") {
      edges {
        node {
          id
          number
          title
          queue {
            id
            name
          }
        }
      }
    }
  }
`;

graphql`
  fragment pages_ticket on Ticket
  @argumentDefinitions(count: { type: "Int", defaultValue: 1 }, after: { type: "String" })
  @refetchable(queryName: "pagesTicketRefetchQuery") {
    number
    articles(first: $count, after: $after) @connection(key: "pages_articles") {
      edges {
        node {
          id
        }
      }
    }
  }
`;
