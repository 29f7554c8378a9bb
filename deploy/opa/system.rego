# Who may ask OPA what: whoever is on its machine may have a decision, and nobody may read or change policies or data.
package system.authz

default allow := false

allow if {
	input.method == "GET"
	input.path == ["health"]
}

allow if {
	input.method == "POST"
	input.path == ["v1", "data", "commerce", "authz", "decision"]
}
