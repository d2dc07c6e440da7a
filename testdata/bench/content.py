"""Content for the generations: log files and a shop's SQLite database, made of real text and seeded chance.

    content.py log SEED MIB FILE            append so much of a server's log
    content.py shop-create SEED ROWS FILE   a new database with so many orders
    content.py shop-trade SEED CHANGES FILE a day's business: scattered updates, and half as many new orders
"""

import glob
import gzip
import random
import sqlite3
import sys
import sysconfig
import time

DAY = 86400
EPOCH = 1_760_000_000


def phrases():
    """Lines of real text: what people wrote in changelogs, or in Python's library where documentation is not installed."""
    names = sorted(glob.glob("/usr/share/doc/*/changelog*.gz"))[:400]
    if len(names) < 50:
        names += sorted(glob.glob(sysconfig.get_path("stdlib") + "/*.py"))
    found = []
    for name in names:
        with (gzip.open if name.endswith(".gz") else open)(name, "rt", errors="replace") as file:
            found += (line.strip() for line in file.read(20_000).splitlines())
    return [line for line in found if 20 < len(line) < 140]


def log_lines(chance, seed):
    """An endless log that starts on day SEED: web requests and system messages, three lines a second."""
    texts = phrases()
    clock = EPOCH + seed * DAY
    while True:
        clock += chance.expovariate(3)
        second = time.gmtime(clock)
        host = chance.choice(["web1", "web2", "db1", "mail"])
        if chance.random() < 0.45:
            client = ".".join(str(chance.randrange(256)) for _ in range(3))
            path = f"{chance.choice(['api/v1/orders', 'static/img', 'account', 'search'])}/{chance.randrange(10**6)}"
            status = chance.choice([200] * 6 + [304, 404, 500])
            yield (f"{host} 10.{client} - - [{time.strftime('%d/%b/%Y:%H:%M:%S +0000', second)}] "
                   f'"GET /{path} HTTP/1.1" {status} {chance.randrange(90_000)} "-" "Mozilla/5.0" {chance.expovariate(9):.3f}\n')
        else:
            program = chance.choice(["sshd", "nginx", "postgres", "kernel", "systemd", "cron", "java"])
            level = chance.choice(["INFO"] * 3 + ["WARN", "DEBUG", "ERROR"])
            yield (f"{time.strftime('%Y-%m-%dT%H:%M:%S', second)}.{int(clock % 1 * 1e6):06} {host} "
                   f"{program}[{chance.randrange(300, 32_000)}]: {level} {chance.choice(texts)} "
                   f"id={chance.getrandbits(32):08x}\n")


def write_log(chance, seed, mib, path):
    room = mib << 20
    with open(path, "a", encoding="utf-8", errors="replace") as log:
        for line in log_lines(chance, seed):
            log.write(line)
            room -= len(line)
            if room <= 0:
                return


class Shop:
    """A table of orders with an index, in 4 KiB pages."""

    def __init__(self, chance, path):
        self.chance = chance
        self.texts = phrases()
        self.db = sqlite3.connect(path)

    def name(self):
        return self.chance.choice(self.texts).split()[-1][:20]

    def order(self):
        chance = self.chance
        return (chance.getrandbits(48), f"{self.name()} {self.name()}", f"{chance.getrandbits(40):x}@example.org",
                chance.random() * 10_000, " ".join(chance.choice(self.texts) for _ in range(chance.randrange(1, 8))),
                chance.randbytes(chance.choice([0, 0, 16, 32, 128])))

    def insert(self, count):
        self.db.executemany("insert into orders (number, buyer, mail, total, note, signature) values (?, ?, ?, ?, ?, ?)",
                            (self.order() for _ in range(count)))
        self.db.commit()

    def create(self, count):
        self.db.execute("pragma page_size = 4096")
        self.db.execute("pragma journal_mode = wal")
        self.db.execute("create table orders (id integer primary key, number integer, buyer text, mail text,"
                        " total real, note text, signature blob)")
        for start in range(0, count, 10_000):
            self.insert(min(10_000, count - start))
        self.db.execute("create index by_number on orders (number)")
        self.db.commit()

    def trade(self, changes):
        (last,) = self.db.execute("select max(id) from orders").fetchone()
        for index in range(changes):
            self.db.execute("update orders set total = ?, buyer = ? where id = ?",
                            (self.chance.random() * 10_000, self.name(), self.chance.randint(1, last)))
            if index % 50 == 49:
                self.db.commit()
        self.insert(changes // 2)

    def close(self):
        self.db.close()


def main(what, seed, amount, path):
    seed, amount = int(seed), int(amount)
    chance = random.Random(seed)
    if what == "log":
        write_log(chance, seed, amount, path)
        return
    shop = Shop(chance, path)
    {"shop-create": shop.create, "shop-trade": shop.trade}[what](amount)
    shop.close()


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    main(*sys.argv[1:])
