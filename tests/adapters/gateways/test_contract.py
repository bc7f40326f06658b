"""The contract, over each kind of gateway."""

from __future__ import annotations

from adapters.gateways import contract, contract_keeping


class TestCapabilities(contract.ContractOfCapabilities):
    pass


class TestLooking(contract.ContractOfLooking):
    pass


class TestMaking(contract.ContractOfMaking):
    pass


class TestRunning(contract.ContractOfRunning):
    pass


class TestAddresses(contract.ContractOfAddresses):
    pass


class TestSnapshots(contract_keeping.ContractOfSnapshots):
    pass


class TestCapturing(contract_keeping.ContractOfCapturing):
    pass


class TestTemplates(contract_keeping.ContractOfTemplates):
    pass


class TestNotification(contract.ContractOfNotification):
    pass
