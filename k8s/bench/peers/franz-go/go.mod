module tidemark/bench/franz-go

go 1.26.0

require (
	github.com/gocql/gocql v1.7.0
	github.com/twmb/franz-go v1.22.3
)

require (
	github.com/golang/snappy v0.0.3 // indirect
	github.com/hailocab/go-hostpool v0.0.0-20160125115350-e80d13ce29ed // indirect
	github.com/klauspost/compress v1.20.3 // indirect
	github.com/pierrec/lz4/v4 v4.1.33 // indirect
	github.com/twmb/franz-go/pkg/kmsg v1.15.1 // indirect
	gopkg.in/inf.v0 v0.9.1 // indirect
)
