module authsome/bench

go 1.24
