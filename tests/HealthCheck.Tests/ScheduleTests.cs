using System.Text.Json;
using Failover.ControlPlane.Topologies;

namespace Failover.HealthCheck.Tests;

/// <summary>Which slots a firing of the schedule queues.</summary>
public class ScheduleTests
{
    private static readonly Timing Timing = new();

    [Fact]
    public void A_firing_queues_two_minutes_each_slot_at_its_time()
    {
        var now = DateTimeOffset.FromUnixTimeMilliseconds(1_795_000_003_400);
        var slots = Schedule.Slots(now, Timing);

        Assert.Equal(12, slots.Count);
        Assert.All(slots, slot => Assert.InRange((now.AddSeconds(slot.DelaySeconds) - Timing.StartOf(slot.Slot)).TotalSeconds, 0, 1));
        Assert.Equal(Enumerable.Range(1, 12).Select(offset => Timing.SlotAt(now) + offset), slots.Select(slot => slot.Slot));
    }

    [Fact]
    public void The_sample_events_are_a_firing_and_a_tick()
    {
        using var schedule = JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "events", "schedule.json")));
        using var tick = JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "events", "tick.json")));
        var body = tick.RootElement.GetProperty("Records")[0].GetProperty("body").GetString()!;

        Assert.False(schedule.RootElement.TryGetProperty("Records", out _));
        Assert.Equal(Timing.SlotAt(schedule.RootElement.GetProperty("time").GetDateTimeOffset()), JsonDocument.Parse(body).RootElement.GetProperty("slot").GetInt64());
    }

    /// <summary>Every minute fires at any second of it; one is missed: no slot is left out.</summary>
    [Fact]
    public void A_firing_that_is_missed_or_late_leaves_no_gap()
    {
        var random = new Random(7);
        var start = DateTimeOffset.FromUnixTimeSeconds(1_795_000_020);
        var queued = new HashSet<long>();
        for (var minute = 0; minute < 60; minute++)
        {
            if (minute % 7 != 3)
            {
                queued.UnionWith(Schedule.Slots(start.AddMinutes(minute).AddSeconds(minute % 7 == 2 ? 0 : random.Next(0, 1)), Timing).Select(slot => slot.Slot));
            }
        }

        var ordered = queued.Order().ToList();
        Assert.Equal(ordered[^1] - ordered[0] + 1, ordered.Count);
    }
}
