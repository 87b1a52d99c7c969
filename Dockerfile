# docker build -t snug . && docker run -p 8080:8080 snug
# Nothing is written to disk, so the container may run with --read-only and needs no volume.
# The release of Go is exact, because the same source makes the same bytes with the same Go only; CONTRIBUTING.md names it too.
FROM --platform=$BUILDPLATFORM golang:1.26.8 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION= TARGETOS TARGETARCH
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -ldflags "-s -w -X main.version=${VERSION}" -o /snug .

FROM gcr.io/distroless/static:nonroot
COPY --from=build /snug /snug
EXPOSE 8080
# No HEALTHCHECK: the image has no shell, and orchestrators ask GET /healthz and /readyz over the network.
ENTRYPOINT ["/snug"]
