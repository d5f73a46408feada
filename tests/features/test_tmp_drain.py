import asyncio, time
from tests.features.test_callback_endpoints import *
async def test_x(service: Service) -> None:
    await forget_deliveries(service)
    async with receiver() as quick, silent(100) as (origin, stuck), deliverer(service, concurrency=256) as delivering:
        await pile_up(service, origin, endpoints=100, each=1_000)
        t0=time.monotonic()
        def p(*a): print("XX", round(time.monotonic()-t0,2), *a, len(delivering._sending), len(delivering._settled))
        od=delivering._sender.attempt
        task=asyncio.create_task(delivering.run())
        await stuck.wait(); p("stuck")
        await tell(service, quick, OTHER_PHONE, 3)
        delivering.awake.set()
        await quick.until(12); p("quick")
        await asyncio.sleep(1); p("slept")
        task.cancel()
        for _ in range(40):
            await asyncio.wait([task], timeout=1); p(task.done(), delivering._stopping)
            if task.done(): break
    p("out")
    await forget_deliveries(service); p("forgot")
