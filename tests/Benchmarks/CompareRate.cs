using System.Collections;
using System.Diagnostics;
using System.Globalization;
using Amazon.DynamoDBv2.Model;
using Failover.ControlPlane.Compares;
using Failover.ItemRecord;
using Failover.ReplicationAudit.Compare;

namespace Failover.Benchmarks;

/// <summary>The whole-table comparison without its network: the production hasher, sums and lists over items as the SDK decodes them, beside a dictionary of one whole table.</summary>
internal static class CompareRate
{
    private const int Distinct = 20_000;
    private const int NaiveMax = 1_000_000;

    public static int Run(int itemsMax)
    {
        var items = Enumerable.Range(0, Distinct).Select(i => Item(i, 0)).ToArray();
        Sums(items, Distinct, 10);
        Console.WriteLine($"{"hash and add, one core",-26}{"items/s",14}{"bytes each",12}{"live MiB",10}");
        for (var count = 100_000; count <= itemsMax; count *= 10)
        {
            var (start, allocated) = (Stopwatch.GetTimestamp(), GC.GetAllocatedBytesForCurrentThread());
            var sums = Sums(items, count, Bits(count));
            var (seconds, bytes) = (Stopwatch.GetElapsedTime(start).TotalSeconds, GC.GetAllocatedBytesForCurrentThread() - allocated);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{count + " items",-26}{count / seconds,14:N0}{bytes / (double)count,12:0.00}{Live(),10:0.0}"));
            GC.KeepAlive(sums);
        }

        for (var count = 100_000; count <= Math.Min(NaiveMax, itemsMax); count *= 10)
        {
            var start = Stopwatch.GetTimestamp();
            var (table, differences) = Naive(count);
            var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{"naive, " + count + " items",-26}{count / seconds,14:N0}{"",12}{Live(),10:0.0}"));
            GC.KeepAlive((table, differences));
        }

        Console.WriteLine();
        Console.WriteLine($"{"across regions",-26}{"bytes",14}{"a difference",14}{"naive bytes",16}");
        foreach (var differences in new[] { 0, 1, 100, 10_000 })
        {
            var (bytes, naive) = Across(Math.Min(NaiveMax, itemsMax), differences);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{differences + " of " + Math.Min(NaiveMax, itemsMax) + " differ",-26}{bytes,14:N0}{(differences == 0 ? "" : (bytes / differences).ToString("N0", CultureInfo.InvariantCulture)),14}{naive,16:N0}"));
        }

        return 0;
    }

    private static BucketSums Sums(Dictionary<string, AttributeValue>[] items, int count, int bits)
    {
        var (hasher, sums) = (new ItemHasher(7), new BucketSums(bits));
        for (var i = 0; i < count; i++)
        {
            var item = items[i % Distinct];
            sums.Add(hasher.OfKey(item[ItemAttributes.Id].S), hasher.Of(item));
        }

        return sums;
    }

    /// <summary>Loads one table, and looks each item of the other up in it.</summary>
    private static (Dictionary<string, Dictionary<string, AttributeValue>> Table, int Differences) Naive(int count)
    {
        var table = new Dictionary<string, Dictionary<string, AttributeValue>>();
        for (var i = 0; i < count; i++)
        {
            var item = Item(i, 0);
            table[item[ItemAttributes.Id].S] = item;
        }

        var differences = 0;
        for (var i = 0; i < count; i++)
        {
            var item = Item(i, 0);
            differences += AttributeEquality.AreEqual(table[item[ItemAttributes.Id].S], item) ? 0 : 1;
        }

        return (table, differences);
    }

    /// <summary>What the home region reads of a peer: its sums, the keys and hashes of unequal buckets, and the items that are candidates, twice.</summary>
    private static (long Bytes, long Naive) Across(int count, int differences)
    {
        var (hasher, bits) = (new ItemHasher(7), Bits(count));
        var (here, there) = (new BucketSums(bits), new BucketSums(bits));
        long naive = 0;
        for (var i = 0; i < count; i++)
        {
            var (home, peer) = (Item(i, 0), Item(i, i < differences ? 1 : 0));
            here.Add(hasher.OfKey(home[ItemAttributes.Id].S), hasher.Of(home));
            there.Add(hasher.OfKey(peer[ItemAttributes.Id].S), hasher.Of(peer));
            naive += DynamoDbJson.ToElement(peer).GetRawText().Length;
        }

        var unequal = new BitArray(1 << bits);
        here.MarkUnequal(there, unequal);
        if (!unequal.HasAnySet())
        {
            return (there.ToBytes().Length, naive);
        }

        var buckets = new UnequalBuckets(UnequalBuckets.ToText(unequal), 1, bits);
        var list = new KeyList();
        long candidates = 0;
        for (var i = 0; i < count; i++)
        {
            var peer = Item(i, i < differences ? 1 : 0);
            if (buckets.GroupOf(hasher.OfKey(peer[ItemAttributes.Id].S)) is not null)
            {
                list.Add(peer[ItemAttributes.Id].S, hasher.Of(peer));
            }

            candidates += i < differences ? 2 * DynamoDbJson.ToElement(peer).GetRawText().Length : 0;
        }

        return (there.ToBytes().Length + list.Length + candidates, naive);
    }

    private static int Bits(int count) => Comparison.Ask(["a", "b"], "me", count, 1000, TimeSpan.FromMinutes(1), DateTimeOffset.UnixEpoch).BucketBits;

    /// <summary>An item as the API writes it: five attributes of a client's, and the system's.</summary>
    private static Dictionary<string, AttributeValue> Item(int number, int edit) => new StoredItem(
        "order-" + number.ToString("D9", CultureInfo.InvariantCulture),
        new Dictionary<string, AttributeValue>
        {
            ["customer"] = new("customer-" + (number % 1000)),
            ["total"] = new() { N = (number % 10_000 + 0.5 + edit).ToString(CultureInfo.InvariantCulture) },
            ["paid"] = new() { BOOL = number % 2 == 0 },
            ["note"] = new("Some words that people write, and that nobody reads again."),
            ["lines"] = new() { L = [new("one line"), new("another line")], IsLSet = true },
        },
        ItemVersion.Create(1_700_000_000_000 + number, 0, "us-east-1", "aaaaaaaa"),
        SeenVersions.None.With(ItemVersion.Create(1_600_000_000_000 + number, 0, "us-west-2", "bbbbbbbb")),
        IsDeleted: false,
        ExpiresAt: null).ToAttributes();

    private static double Live() => GC.GetTotalMemory(forceFullCollection: true) / 1048576.0;
}
