package main

import (
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"pinglake/conf"
	"pinglake/ingest/decode"
)

// openGeo opens the geo databases that the settings name, nil for none.
func openGeo(settings *conf.Settings, logger *slog.Logger) (*decode.Geo, error) {
	geo := settings.Geo
	if geo.City == "" && geo.ISP == "" && geo.Cities == "" {
		return nil, nil
	}
	opened, err := decode.OpenGeo(decode.GeoOptions{City: geo.City, ISP: geo.ISP, Cities: geo.Cities, Logger: logger})
	if err != nil {
		return nil, usageError{err}
	}
	return opened, nil
}

// newDecoder is the decoder that the settings describe.
func newDecoder(settings *conf.Settings, schemas decode.Schemas, geo *decode.Geo, logEntries bool, metrics prometheus.Registerer) (*decode.Decoder, error) {
	scrubber, err := decode.LoadScrubber(settings.Scrub.Rules)
	if err != nil {
		return nil, usageError{err}
	}
	landfillIP := decode.ForgetClientIP
	if settings.Landfill.ClientIP {
		landfillIP = decode.KeepClientIP
	}
	return decode.New(decode.Options{
		Schemas: schemas, MaxPayload: int(settings.Edge.MaxBody), LandfillIP: landfillIP,
		Geo: geo, Proxies: settings.Geo.Skip, Scrubber: scrubber, LogEntries: logEntries, Metrics: metrics,
	}), nil
}
