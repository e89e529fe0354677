module basic-auth/tests/clients/go

go 1.26.0
