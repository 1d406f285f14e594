using System.Collections.Concurrent;
using System.Diagnostics;
using Failover.Simulation.Campaign;

namespace Failover.Simulation;

/// <summary>
/// Drawn schedules of faults over the production code: vote, folds, decider, commands, mover, gate and batches. <c>SIMULATION_SCHEDULES</c> says how many,
/// <c>SIMULATION_SEED</c> from which seed on; a failure prints the seed that reproduces it.
/// </summary>
public class CampaignTests(ITestOutputHelper output)
{
    private static readonly int Schedules = Number("SIMULATION_SCHEDULES", 12_000);
    private static readonly int FirstSeed = Number("SIMULATION_SEED", 1);

    [Fact]
    public void No_schedule_of_faults_breaks_a_rule()
    {
        var (milliseconds, ticks, moves, registers) = (0L, 0L, 0L, 0L);
        var start = Stopwatch.GetTimestamp();
        var (whys, reached) = (new ConcurrentDictionary<string, int>(), new ConcurrentDictionary<string, int>());
        var broken = new ConcurrentQueue<string>();
        Parallel.For(FirstSeed, FirstSeed + Schedules, new ParallelOptions { MaxDegreeOfParallelism = Math.Max(1, Environment.ProcessorCount - 1) }, (seed, loop) =>
        {
            if (Run.Broken(Schedule.Draw(seed), null, out var world) is { } rule)
            {
                broken.Enqueue(rule);
                loop.Stop();
            }

            Interlocked.Add(ref milliseconds, world.Schedule.End);
            Interlocked.Add(ref ticks, world.Ticks);
            Interlocked.Add(ref moves, world.History.Zone.Count);
            foreach (var change in world.History.Zone.Where(change => change.By is not null))
            {
                whys.AddOrUpdate(change.Txt[0].Split("why=")[^1], 1, (_, count) => count + 1);
            }

            foreach (var held in world.History.Ticks.SelectMany(tick => tick.Held.Append(tick.Ending)).Distinct())
            {
                reached.AddOrUpdate(held, 1, (_, count) => count + 1);
            }

            Interlocked.Add(ref registers, world.History.Registers.Count);
        });
        output.WriteLine(
            $"{Schedules} schedules from seed {FirstSeed}: {TimeSpan.FromMilliseconds(milliseconds).TotalDays / 365.25:0.000} simulated years, {ticks} ticks, {moves} versions of the zone, {registers} of the register, in {Stopwatch.GetElapsedTime(start).TotalSeconds:0.0} s");
        output.WriteLine($"plans applied: {string.Join(", ", whys.OrderByDescending(why => why.Value).Select(why => $"{why.Key} {why.Value}"))}");
        output.WriteLine($"schedules that reached: {string.Join(", ", reached.OrderByDescending(state => state.Value).Select(state => $"{state.Key} {state.Value}"))}");
        Assert.True(broken.IsEmpty, string.Join("\n", broken));
        Assert.True(moves > 2 * Schedules);
    }

    private static int Number(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), out var number) ? number : otherwise;
}
