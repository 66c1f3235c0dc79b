"""What a module may say, the registry of modules, and the GraphQL types made from them."""
