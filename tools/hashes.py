"""Hashes of known passwords, by htpasswd or openssl, for tests, benchmarks and `make istio`.

A user's name goes before them.
"""

SHA_SECRET1 = "{SHA}AMr9EmGC6KnnwBuy8N/QBJa+ck8="
"""Of `secret1`."""

QUICK_SECRET5 = "$apr1$Pm4DjcGm$HJuS1FPQBYXeik1EqMgAw/"
"""Of `secret5`, MD5-crypt: a tenth of a millisecond, and remembered all the same."""

CHEAP_SECRET3 = "$2y$04$sTueBAinMDchCplUxVu4SO3rR0C8hfCCLI7K7o7O02RaehBmhOdfK"
"""Of `secret3`, at bcrypt's lowest cost."""

DEARER_SECRET7 = "$2y$06$CJtg5oylgX3oIYoyQtFNWOrAUf9YWAXWR9huGMIS/XFDxUe42F7Oq"
"""Of `secret7`, at cost 6: four times CHEAP_SECRET3."""

SLOW_SECRET7 = "$2y$10$L064N0mTsbPMqfILxivrYOpqcLlnCSAOz4.BXQ1yxttwIHLSzoDwS"
"""Of `secret7`, at cost 10: about 56 ms of processor time, a quarter of a second of waiting."""

SLOW_NEXT = "$2y$10$g52yobOXbW72Qgffu0gioOUOLFVajYcH9wdJACNO0j1Flp3xzNr3e"
"""Of `next`, at cost 10."""
