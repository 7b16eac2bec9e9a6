"""The models of the contract: attrs classes with `from_dict` and `to_dict`; an absent optional field is None."""

from talkdesk_bridge_api.models import *  # noqa: F403 # all models of the contract
from talkdesk_bridge_api.models import __all__ as __all__
