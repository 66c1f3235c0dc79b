"""The program: settings, routes, the GraphQL endpoint, pages, command line."""
