"""Gateways whose machines somebody else's service makes and runs: what all of them do alike."""
