using System.Text.Json;
using Failover.ControlPlane.Topologies;

namespace Failover.HealthCheck.Tests;

/// <summary>Which ticks a firing of the schedule queues.</summary>
public class ScheduleTests
{
    private static readonly Timing Timing = new();
    private static readonly DateTimeOffset Start = DateTimeOffset.FromUnixTimeSeconds(1_795_000_020);

    [Fact]
    public void A_firing_queues_two_minutes_each_tick_at_its_time()
    {
        var now = DateTimeOffset.FromUnixTimeMilliseconds(1_795_000_003_400);
        var ticks = Schedule.Ticks(now, Timing);

        Assert.Equal(Enumerable.Range(1, 12).Select(offset => Timing.StartAt(now).AddSeconds(10 * offset)), ticks.Select(tick => tick.Start));
        Assert.All(ticks.Skip(6), tick => Assert.InRange((now.AddSeconds(tick.DelaySeconds) - tick.Start).TotalSeconds, 0, 1));
    }

    /// <summary>Two copies at the same moment would both look around; and what is queued once comes at its time.</summary>
    [Theory]
    [InlineData(7)]
    [InlineData(10)]
    [InlineData(25)]
    [InlineData(45)]
    public void A_tick_is_queued_at_its_start_once_and_again_half_an_interval_later(int seconds)
    {
        var timing = Timing with { IntervalSeconds = seconds };
        var queued = Enumerable.Range(0, 120)
            .SelectMany(minute => Schedule.Ticks(Start.AddMinutes(minute), timing).Select(tick => (tick.Start, Late: (Start.AddMinutes(minute).AddSeconds(tick.DelaySeconds) - tick.Start).TotalSeconds)))
            .GroupBy(copy => copy.Start)
            .Where(copies => copies.Key > Start.AddMinutes(3));

        Assert.All(queued, copies =>
        {
            Assert.InRange(copies.First().Late, 0, 1);
            Assert.All(copies.Skip(1), duplicate => Assert.InRange(duplicate.Late, seconds / 2.0, (seconds / 2.0) + 1));
        });
    }

    [Fact]
    public void The_sample_events_are_a_firing_and_a_tick()
    {
        using var schedule = JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "events", "schedule.json")));
        using var tick = JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "events", "tick.json")));
        var body = tick.RootElement.GetProperty("Records")[0].GetProperty("body").GetString()!;

        Assert.False(schedule.RootElement.TryGetProperty("Records", out _));
        Assert.Equal((2, Timing.StartAt(schedule.RootElement.GetProperty("time").GetDateTimeOffset()).ToUnixTimeMilliseconds()), (JsonDocument.Parse(body).RootElement.GetProperty("format").GetInt32(), JsonDocument.Parse(body).RootElement.GetProperty("start").GetInt64()));
    }

    [Fact]
    public void A_firing_at_any_second_of_its_minute_leaves_no_gap()
    {
        var random = new Random(7);
        AssertNoGap(Enumerable.Range(0, 600).Select(minute => Start.AddMinutes(minute).AddSeconds(random.Next(60))));
    }

    [Fact]
    public void A_firing_that_is_missed_leaves_no_gap() =>
        AssertNoGap(Enumerable.Range(0, 60).Where(minute => minute % 7 != 3).Select(minute => Start.AddMinutes(minute).AddSeconds(17)));

    private static void AssertNoGap(IEnumerable<DateTimeOffset> firings)
    {
        var queued = firings.SelectMany(now => Schedule.Ticks(now, Timing)).Select(tick => tick.Start).ToHashSet();
        Assert.Equal((queued.Max() - queued.Min() + Timing.Interval) / Timing.Interval, queued.Count);
    }
}
