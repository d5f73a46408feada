"""What a memory store holds, made with the official Python SDK, each thing when it is first asked for."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from twilio.rest import Client
from twilio.rest.memory.v1.conversation_summary import ConversationSummaryList
from twilio.rest.memory.v1.import_ import ImportList
from twilio.rest.memory.v1.observation import ObservationList
from twilio.rest.memory.v1.profile import ProfileList
from twilio.rest.memory.v1.store import StoreList
from twilio.rest.memory.v1.trait_group import TraitGroupList

from orchestrator.accounts.service import Account
from orchestrator.kernel.ids import CONVERSATION, MEMORY_STORE, new_id
from tests.support.memory import new_phone

OCCURRED = "2026-02-03T09:15:04Z"
COLUMNS = [
    {"columnName": "number", "traitGroup": "Contact", "traitName": "phone"},
    {"columnName": "name", "traitGroup": "Contact", "traitName": "firstName"},
]


def new_name() -> str:
    """A display name that no other store or trait group has."""
    return new_id(MEMORY_STORE).replace("_", "-")


def create_store(client: Client, name: str) -> str:
    """Create a store; its id, from its operation."""
    accepted = client.memory.v1.stores.create(StoreList.ServiceRequest({"displayName": name}))
    operation = client.memory.v1.operations(accepted.status_url.rpartition("/")[2]).fetch()
    store_id: str = operation.result["id"]
    return store_id


def group_body(name: str) -> dict[str, Any]:
    """A trait group with one trait."""
    return {"displayName": name, "description": "Likes", "traits": {"drink": {"dataType": "STRING"}}}


def import_body() -> dict[str, Any]:
    return {"filename": "customers.csv", "fileSize": 100, "columnMappings": COLUMNS}


@dataclass
class Memories:
    """A store, a person in it, and two of everything else that is listed, oldest first."""

    account: Account
    client: Client
    store_id: str
    phone: str = field(default_factory=new_phone)
    """The person's."""
    other_phone: str = field(default_factory=new_phone)
    """The other person's."""
    conversation_id: str = field(default_factory=lambda: new_id(CONVERSATION))

    @property
    def v1(self) -> Any:
        return self.client.memory.v1

    @cached_property
    def profile_id(self) -> str:
        return self._profile(self.phone)

    @cached_property
    def profiles(self) -> list[str]:
        return [self.profile_id, self._profile(self.other_phone)]

    @property
    def profile(self) -> Any:
        """The person, as fetched now."""
        return self.v1.profiles(self.store_id, self.profile_id).fetch()

    @property
    def values(self) -> dict[str, list[str]]:
        """The person's identifiers now, by type."""
        listed = self.v1.identifiers(self.store_id, self.profile_id).list()
        return {one.id_type: one.values for one in listed}

    @cached_property
    def observations(self) -> list[str]:
        """The first was once `likes coffee`."""
        resource = self.v1.observations(self.store_id, self.profile_id)
        bodies = [{"content": one, "source": "sdk", "occurredAt": OCCURRED} for one in ("likes coffee", "has a dog")]
        resource.create(ObservationList.CreateObservationsRequest({"observations": bodies}))
        ids = [one.id for one in resource.list(order_by="ASC")]
        resource(ids[0]).patch(ObservationList.ObservationBase({"content": "likes tea"}))
        return ids

    @property
    def observation_id(self) -> str:
        return self.observations[0]

    @property
    def remembered(self) -> list[str]:
        """The contents of the person's observations now, newest first."""
        return [one.content for one in self.v1.observations(self.store_id, self.profile_id).list()]

    @cached_property
    def summaries(self) -> list[str]:
        resource = self.v1.conversation_summaries(self.store_id, self.profile_id)
        bodies = [
            {"content": one, "conversationId": self.conversation_id, "occurredAt": OCCURRED}
            for one in ("A parcel was late", "The parcel came")
        ]
        resource.create(ConversationSummaryList.CreateSummariesRequest({"summaries": bodies}))
        return [one.id for one in resource.list()][::-1]

    @property
    def summary_id(self) -> str:
        return self.summaries[0]

    @property
    def told(self) -> list[str]:
        """The contents of the person's summaries now, newest first."""
        return [one.content for one in self.v1.conversation_summaries(self.store_id, self.profile_id).list()]

    @cached_property
    def trait_group(self) -> str:
        name = new_name()
        request = TraitGroupList.TraitGroupRequest(group_body(name))
        self.v1.trait_groups(self.store_id).create(request)
        return name

    @cached_property
    def imports(self) -> list[str]:
        request = ImportList.CreateProfilesImportV2Request(import_body())
        resource = self.v1.imports(self.store_id)
        return [resource.create(request).import_id for _ in range(2)]

    @cached_property
    def operation_id(self) -> str:
        """Of a change to the store's description."""
        request = StoreList.PatchStoreRequest({"description": "Everybody who writes to us"})
        return str(self.v1.stores(self.store_id).patch(request).status_url).rpartition("/")[2]

    @cached_property
    def spare_store_id(self) -> str:
        """A store that nothing else is in."""
        return create_store(self.client, new_name())

    def make(self) -> "Memories":
        """Make everything that is listed; the first observation says `likes tea` now."""
        for name in ("profiles", "observations", "summaries", "imports", "trait_group", "operation_id"):
            getattr(self, name)
        change = ObservationList.ObservationBase({"content": "likes tea"})
        self.v1.observations(self.store_id, self.profile_id)(self.observation_id).patch(change)
        assert self.spare_store_id
        return self

    def for_another(self) -> "Memories":
        """The same store with another person, and nothing made."""
        return Memories(self.account, self.client, self.store_id)

    def _profile(self, phone: str) -> str:
        request = ProfileList.ProfileData({"traits": {"Contact": {"phone": phone, "firstName": "Kiran"}}})
        made: str = self.v1.profiles(self.store_id).create(request).id
        return made
