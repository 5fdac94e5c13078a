"""The engine: one process per project that carries out orders durably. Only here is its library known."""
