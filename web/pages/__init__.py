"""The pages: lists, forms and details of every module, rendered on the server from GraphQL operations."""
