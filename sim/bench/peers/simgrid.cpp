/* simgrid.cpp - SimGrid (s4u): actors in virtual time, all on one host with a loopback link that costs next to nothing.
 *
 * It has neither a buffered queue nor an event that wakes its listeners without a mutex: a message is put and got
 * through a mailbox (`rendezvous`). */
#include "peer.h"

#include <simgrid/s4u.hpp>

#include <string>
#include <vector>

namespace sg4 = simgrid::s4u;

static long count;
static sg4::Host *host;

/* ---- Yield, spawn ---------------------------------------------------------------------------- */

static void yield_often()
{
    for (long i = 0; i < count / 2; i++)
        sg4::this_actor::yield();
}

static long bench_yield()
{
    auto one = sg4::Actor::create("one", host, yield_often), two = sg4::Actor::create("two", host, yield_often);
    peer_start();
    one->join();
    two->join();
    peer_stop();
    return count;
}

/* (It keeps the stacks of actors that have ended: more than some 30,000 of them, and mappings run out.) */
static long bench_spawn()
{
    long done;
    peer_start();
    for (done = 0; done < count; done += CROWD) {
        std::vector<sg4::ActorPtr> actors;
        for (int i = 0; i < CROWD; i++)
            actors.push_back(sg4::Actor::create("a", host, [] {}));
        for (auto &actor : actors)
            actor->join();
    }
    peer_stop();
    return done;
}

/* ---- Message --------------------------------------------------------------------------------- */

static void echo()
{
    auto there = sg4::Mailbox::by_name("there"), back = sg4::Mailbox::by_name("back");
    for (long i = 0; i < count / 2; i++)
        back->put(there->get<long>(), 0);
}

static long bench_rendezvous()
{
    auto there = sg4::Mailbox::by_name("there"), back = sg4::Mailbox::by_name("back");
    auto other = sg4::Actor::create("other", host, echo);
    peer_start();
    for (long i = 0; i < count / 2; i++) {
        there->put(&count, 0);
        back->get<long>();
    }
    peer_stop();
    other->join();
    return count;
}

/* ---- Lock, semaphore ------------------------------------------------------------------------- */

static long bench_lock()
{
    auto lock = sg4::Mutex::create();
    auto often = [lock] {
        lock->lock();
        for (long i = 0; i < count / 2; i++) {
            lock->unlock();
            lock->lock();
        }
        lock->unlock();
    };
    lock->lock();
    auto one = sg4::Actor::create("one", host, often), two = sg4::Actor::create("two", host, often);
    sg4::this_actor::yield();
    peer_start();
    lock->unlock();
    one->join();
    two->join();
    peer_stop();
    return count;
}

static long bench_sem()
{
    auto sem = sg4::Semaphore::create(0);
    auto often = [sem] {
        sem->acquire();
        for (long i = 0; i < count / 2; i++) {
            sem->release();
            sem->acquire();
        }
        sem->release();
    };
    auto one = sg4::Actor::create("one", host, often), two = sg4::Actor::create("two", host, often);
    sg4::this_actor::yield();
    peer_start();
    sem->release();
    one->join();
    two->join();
    peer_stop();
    return count;
}

/* ---- Sleep ----------------------------------------------------------------------------------- */

static long slept;
static bool over;

static void sleep_often(uint32_t random)
{
    while (!over) {
        random = random * 1664525 + 1013904223;
        sg4::this_actor::sleep_for(1e-6 * (1 + (random >> 8) % 1000000));
        slept++;
    }
}

static long bench_sleep(long tasks)
{
    for (long i = 0; i < tasks; i++)
        sg4::Actor::create("a", host, sleep_often, (uint32_t)i * 2654435761u);
    sg4::this_actor::sleep_for(1);
    long before = slept;
    peer_start();
    sg4::this_actor::sleep_for((double)count / (double)tasks * 0.5);
    peer_stop();
    over = true;
    return slept - before;
}

static long run(const std::string &name)
{
    if (name == "yield") return bench_yield();
    if (name == "spawn") return bench_spawn();
    if (name == "rendezvous") return bench_rendezvous();
    if (name == "lock") return bench_lock();
    if (name == "sem") return bench_sem();
    if (name == "sleep_1k") return bench_sleep(1000);
    if (name == "sleep_10k") return bench_sleep(10000);
    return 0;
}

int main(int argc, char *argv[])
{
    if (argc < 3)
        return 2;
    std::string name = argv[1];
    count = atol(argv[2]);
    char program[] = "simgrid", log[] = "--log=root.threshold:critical", *arguments[] = {program, log, nullptr};
    int n = 2;
    sg4::Engine engine(&n, arguments);
    auto zone = sg4::create_full_zone("zone");
    host = zone->create_host("host", 1e9);
    auto loopback = zone->create_link("loopback", 1e12)->set_latency(0)->seal();
    zone->add_route(host->get_netpoint(), host->get_netpoint(), nullptr, nullptr, {sg4::LinkInRoute(loopback)});
    zone->seal();
    long done = 0;
    sg4::Actor::create("main", host, [&] { done = run(name); });
    engine.run();
    if (done == 0)
        return NOT_SHARED;
    peer_print(name.c_str(), done);
    return 0;
}
