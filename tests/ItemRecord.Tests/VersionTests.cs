using CsCheck;
using Microsoft.Extensions.Time.Testing;

namespace Failover.ItemRecord.Tests;

/// <summary>Versions: form, order, uniqueness, and what a write has seen.</summary>
public class VersionTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 8, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Is_12_hex_of_milliseconds_4_of_counter_region_and_writer()
    {
        var version = ItemVersion.Create(0x01a2085337df, 0x2a, "us-east-1", "8gntwbmu");

        Assert.Equal("01a2085337df002a-us-east-1-8gntwbmu", version.Text);
        Assert.Equal((0x01a2085337df, 0x2a, "us-east-1", "8gntwbmu"), (version.UnixMilliseconds, version.Counter, version.Region, version.Writer));
    }

    [Theory]
    [InlineData("")]
    [InlineData("01a2085337df002a")]
    [InlineData("01a2085337df002a-us-east-1")]
    [InlineData("01A2085337DF002A-us-east-1-8gntwbmu")]
    [InlineData("01a2085337df002a_us-east-1-8gntwbmu")]
    [InlineData("01a2085337df002a-us east-1-8gntwbmu")]
    public void Other_text_is_no_version(string text) => Assert.False(ItemVersion.TryParse(text, out _));

    [Fact]
    public void Text_order_is_clock_order() =>
        Gen.Select(Gen.Long[0, 0xFFFFFFFFFFFF], Gen.Int[0, ItemVersion.CounterMax], Gen.Long[0, 0xFFFFFFFFFFFF], Gen.Int[0, ItemVersion.CounterMax])
            .Sample((ms1, c1, ms2, c2) =>
            {
                var (one, other) = (ItemVersion.Create(ms1, c1, "r", "aaaaaaaa"), ItemVersion.Create(ms2, c2, "r", "aaaaaaaa"));
                return Math.Sign(one.CompareTo(other)) == Math.Sign((ms1, c1).CompareTo((ms2, c2)));
            });

    [Fact]
    public void Two_writers_with_the_same_frozen_clock_never_make_the_same_version()
    {
        var time = new FakeTimeProvider(Now);
        var clocks = new[] { new VersionClock("us-east-1", time), new VersionClock("us-east-1", time) };
        var seen = new HashSet<string>();

        // More than the counter holds, so that its overflow is passed too.
        for (var i = 0; i < ItemVersion.CounterMax + 100; i++)
        {
            Assert.True(seen.Add(clocks[0].Next(SeenVersions.None).Text));
            Assert.True(seen.Add(clocks[1].Next(SeenVersions.None).Text));
        }
    }

    [Fact]
    public void One_writer_in_many_threads_never_makes_the_same_version()
    {
        var clock = new VersionClock("us-east-1", new FakeTimeProvider(Now));
        var versions = new System.Collections.Concurrent.ConcurrentBag<string>();

        Parallel.For(0, 8, _ =>
        {
            for (var i = 0; i < 5000; i++)
            {
                versions.Add(clock.Next(SeenVersions.None).Text);
            }
        });

        Assert.Equal(40_000, versions.Distinct().Count());
    }

    [Fact]
    public void Exceeds_everything_it_has_seen_even_when_the_clock_goes_back()
    {
        var time = new FakeTimeProvider(Now);
        var clock = new VersionClock("us-east-1", time);
        var ahead = ItemVersion.Create(Now.AddHours(1).ToUnixTimeMilliseconds(), 7, "us-west-2", "bbbbbbbb");

        var next = clock.Next(SeenVersions.None.With(ahead));
        var after = clock.Next(SeenVersions.None);

        Assert.True(next > ahead);
        Assert.True(after > next);
    }

    [Fact]
    public void A_successor_has_seen_what_its_predecessor_had_and_the_predecessor_itself()
    {
        var west = ItemVersion.Create(1, 0, "us-west-2", "bbbbbbbb");
        var east1 = ItemVersion.Create(2, 0, "us-east-1", "aaaaaaaa");
        var east2 = ItemVersion.Create(3, 0, "us-east-1", "aaaaaaaa");

        var seen = SeenVersions.None.With(west).With(east1).With(east2);

        Assert.Equal(west, seen.Of("us-west-2"));
        Assert.Equal(east2, seen.Of("us-east-1"));
        Assert.Null(seen.Of("eu-west-1"));
        Assert.Equal(seen.All, SeenVersions.FromAttribute(seen.ToAttribute()).All);
    }
}
