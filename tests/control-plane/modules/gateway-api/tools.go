//go:build tools

// Package tools pins the Gateway API, whose CRDs are read from the module's folder.
package tools

import _ "sigs.k8s.io/gateway-api/apis/v1"
