using Failover.ControlPlane.Registers;

namespace Failover.Simulation.Campaign;

/// <summary>Runs one schedule and judges it.</summary>
internal static class Run
{
    /// <summary>Runs it to its end. The first rule that it breaks, with seed and faults; null if it breaks none.</summary>
    public static string? Broken(Schedule schedule, Bug? bug, out SimWorld world)
    {
        var run = world = new SimWorld(schedule, bug);
        string? broken;
        try
        {
            world.Run(() => Unsettled(run) is null);
            broken = new Oracle(schedule, world.History).FirstBroken() ?? Unsettled(world);
        }
        catch (Exception error) when (error is InvalidOperationException or ArgumentException or NullReferenceException or KeyNotFoundException)
        {
            broken = $"the code threw: {error}";
        }

        return broken is null ? null : broken + Told(schedule);
    }

    /// <summary>L1, L2: after the last fault everything settles, and what serves is up, unless a named reason holds it.</summary>
    private static string? Unsettled(SimWorld world)
    {
        if (world.IsEdited)
        {
            return null;
        }

        if (world.Register is not { } register)
        {
            return "L2: there is no register";
        }

        var last = world.History.Ticks[^1];
        if (last.Ending == "Frozen")
        {
            return $"L2: the name is frozen, and nobody's hand is in it; rev {register.Rev}, epoch {register.Epoch}";
        }

        if (!RecordSet.AreSame(world.Zone.Sets, register.Plan.Sets) || (!world.Setting.IsSwitch && !(world.Zone.Txt is { } txt && txt.IsSameAs(register.Plan.Txt))))
        {
            return $"L2: the world does not show the plan: {string.Join(", ", world.Zone.Sets)} {world.Zone.Txt}, but {register.Plan.Txt}";
        }

        if (register.Moving is not null || register.Planned is not null || register.FenceToLift is not null)
        {
            return $"L2: a move, or a fence, never ends: {register.Moving} {register.Planned} {register.FenceToLift}";
        }

        var answered = world.History.Registers.SelectMany(stored => stored.Register.Answered).Select(answer => answer.Id).ToHashSet();
        if (world.History.Orders.Find(given => !answered.Contains(given.Command.Id)) is { } lost)
        {
            return $"S10: the order {lost.Command.Kind} of {lost.At / 1000.0:0.0} s was never answered";
        }

        var serving = world.Setting.Service.Endpoints.ToList().FindIndex(endpoint => endpoint.Name == register.Active);
        return world.Serves(serving) || world.History.Ticks.TakeLast(3).All(tick => tick.Held.Count > 0) ? null : $"L1: {register.Active} is down, was not left, and no reason is named";
    }

    private static string Told(Schedule schedule) =>
        $"\n  seed {schedule.Seed}: {schedule.Setting.Service.Endpoints.Count} endpoints, {schedule.Setting.Service.Lever}, {schedule.Setting.Service.Mode}, interval to {schedule.Setting.Next?.Topology.Timing.IntervalSeconds}, {schedule.Setting.Service.Rpo}, cool-down {schedule.Setting.Timing.CoolDownMinutes} min\n    {string.Join("\n    ", schedule.Faults)}";
}
