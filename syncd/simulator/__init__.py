"""A strict stand-in for an 8x8 tenant, over real HTTP on loopback: a stage for rehearsals, a partner for tests.

It shares no code with the dialer client, so that neither can hide the other's mistakes. How people steer it while it
runs is told in :mod:`syncd.simulator.control`.
"""

from syncd.simulator.campaign import Added, Campaign, Deleted, PhoneCall, Refused
from syncd.simulator.crm import Mark
from syncd.simulator.faults import ArmedFault, Fault, FaultKind
from syncd.simulator.listing import SimulatedRecord
from syncd.simulator.log import Call, Entry, Log
from syncd.simulator.manner import CustomerIn, Dialect, Ids, Manner, NoRecords, Token
from syncd.simulator.server import serve
from syncd.simulator.tenant import SimulatedTenant

__all__ = [
    "Added",
    "ArmedFault",
    "Call",
    "Campaign",
    "CustomerIn",
    "Deleted",
    "Dialect",
    "Entry",
    "Fault",
    "FaultKind",
    "Ids",
    "Log",
    "Manner",
    "Mark",
    "NoRecords",
    "PhoneCall",
    "Refused",
    "SimulatedRecord",
    "SimulatedTenant",
    "Token",
    "serve",
]
