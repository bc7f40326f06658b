"""What providers have of their own: how the library's one interface is used with each of them."""
