import asyncio, random
from tests.races.test_api_keys import *
async def test_identity(database_url: str) -> None:
    chance = random.Random(5)
    before = await deadlocks(database_url)
    async with cluster(database_url, processes=2, grouping=GROUPINGS[2]) as processes:
        c = await only_configuration(processes)
        st = Counter()
        async def go(position, body):
            url = processes.origins[position % 2] + PATH
            async with processes.session.post(url, json=body) as a:
                await a.read(); st[a.status] += 1
        for number in range(30):
            numbers = [f"+1558{number:03d}{d:04d}" for d in range(4)]
            bodies = []
            for p in range(8):
                some = chance.sample(numbers, 3)
                bodies.append({"configurationId": c, "participants": [customer(*[sms(x) for x in some]), agent(sms(OUR_NUMBER))]})
            await asyncio.gather(*(go(p, b) for p, b in enumerate(bodies)))
        print(st)
    print("DEADLOCKS", await deadlocks(database_url) - before)
