using System.Collections;
using Failover.ReplicationAudit.Compare;

namespace Failover.ReplicationAudit.Tests.Compare;

/// <summary>Sums of buckets, and lists of keys.</summary>
public class BucketTests
{
    private const int Bits = 8;

    private readonly Random _random = new(20261126);

    [Fact]
    public void The_order_and_the_parts_in_which_items_are_added_do_not_count()
    {
        var items = Enumerable.Range(0, 1000).Select(_ => (Key: Draw(), Item: Draw())).ToArray();
        var whole = new BucketSums(Bits);
        Array.ForEach(items, item => whole.Add(item.Key, item.Item));

        _random.Shuffle(items);
        var parts = items.Chunk(300).Select(part =>
        {
            var sums = new BucketSums(Bits);
            Array.ForEach(part, item => sums.Add(item.Key, item.Item));
            return BucketSums.FromBytes(sums.ToBytes(), Bits);
        }).ToList();
        parts.Skip(1).ToList().ForEach(parts[0].Add);

        Assert.Equal(0, Unequal(whole, parts[0]).Cast<bool>().Count(isUnequal => isUnequal));
        parts[0].Add(items[0].Key, 1);
        var unequal = Unequal(whole, parts[0]);
        Assert.True(unequal[BucketSums.BucketOf(items[0].Key, Bits)]);
        Assert.Equal(1, unequal.Cast<bool>().Count(isUnequal => isUnequal));
    }

    [Fact]
    public void Sums_of_another_number_of_buckets_are_refused() => Assert.Throws<FormatException>(() => BucketSums.FromBytes(new byte[16], Bits));

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(64)]
    public void Unequal_buckets_are_spread_over_all_lists(int groups)
    {
        var unequal = new BitArray(1 << Bits);
        for (var bucket = 0; bucket < unequal.Length; bucket += 3)
        {
            unequal[bucket] = true;
        }

        var buckets = new UnequalBuckets(UnequalBuckets.ToText(unequal), groups, Bits);
        var group = Enumerable.Range(0, unequal.Length).Select(bucket => buckets.GroupOf((UInt128)bucket << (128 - Bits))).ToList();
        Assert.Equal(Enumerable.Range(0, unequal.Length).Select(bucket => unequal[bucket]), group.Select(number => number is not null));
        Assert.Equal(Enumerable.Range(0, groups), group.OfType<int>().Distinct());
    }

    [Fact]
    public void Lists_are_read_as_they_were_written()
    {
        (string, UInt128)[] keys = [("a", 1), ("ключ", UInt128.MaxValue), ("", 0)];
        var list = new KeyList();
        Array.ForEach(keys, key => list.Add(key.Item1, key.Item2));
        Assert.Equal(keys, KeyList.Read(list.Take()));
        Assert.Empty(KeyList.Read(list.Take()));
    }

    [Fact]
    public void Keys_differ_unless_both_lists_say_the_same_once_or_again()
    {
        (string, UInt128)[] here = [("same", 1), ("changed", 1), ("missing", 1), ("twice", 1), ("twice", 1), ("twoways", 1), ("twoways", 2)];
        (string, UInt128)[] there = [("changed", 2), ("same", 1), ("extra", 1), ("twice", 1), ("twoways", 2), ("twoways", 1)];
        Assert.Equal(["changed", "extra", "missing", "twoways"], KeyList.Differing(here, there));
        Assert.Equal(["changed", "extra", "missing", "twoways"], KeyList.Differing(there, here));
    }

    private UInt128 Draw() => new((ulong)_random.NextInt64(), (ulong)_random.NextInt64() << 1);

    private static BitArray Unequal(BucketSums one, BucketSums other)
    {
        var unequal = new BitArray(1 << Bits);
        one.MarkUnequal(other, unequal);
        return unequal;
    }
}
