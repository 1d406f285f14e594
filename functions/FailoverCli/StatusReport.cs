using System.Text.Json;
using Failover.ControlPlane;
using Failover.ControlPlane.Registers;

namespace Failover.Cli;

/// <summary>The state of a service, for a terminal or for a program.</summary>
internal static class StatusReport
{
    public static void Write(TextWriter output, string service, ControlView view, bool asJson, DateTimeOffset now)
    {
        if (asJson)
        {
            output.WriteLine(view.Register is null ? "null" : JsonSerializer.Serialize(view.Register, ControlJson.Default.Register));
            foreach (var order in view.Pending)
            {
                output.WriteLine(JsonSerializer.Serialize(order, ControlJson.Default.Command));
            }

            foreach (var ballot in view.Ballots)
            {
                output.WriteLine(JsonSerializer.Serialize(ballot, ControlJson.Default.Ballot));
            }

            return;
        }

        if (view.Register is not { } register)
        {
            output.WriteLine($"{service}: there is no register. Either no observer has ticked yet, or the name is frozen until 'adopt'.");
            return;
        }

        output.WriteLine($"{service}: {register.Serving} serves, epoch {register.Epoch}");
        Line("moving", register.Moving is { } move ? $"from {move.From} to {move.To} since {move.Since:u}{(register.IsUnpublished ? "" : ", published, not yet verified")}" : null);
        Line("planned", register.Planned is { } planned ? $"to {planned.To} by {planned.By}, given up at {planned.Until:u}; {(planned.FencedAt is { } at ? $"writes at {planned.From} fenced at {at:u}" : "not fenced yet")}" : null);
        Line("paused", InForce(register.Paused));
        Line("pinned", register.Pinned is { } pin && InForce(pin.Order) is { } pinned ? $"to {pin.Endpoint} {pinned}" : null);
        foreach (var (endpoint, drain) in register.Drained)
        {
            Line("drained", InForce(drain) is { } drained ? $"{endpoint} {drained}" : null);
        }

        Line("approved", InForce(register.Approved));
        Line("cool-down", register.CoolDown is { } coolDown && coolDown.Until > now ? $"until {coolDown.Until:u}, {coolDown.AutomaticMoves} automatic moves; 'ack' clears it" : null);
        foreach (var order in view.Pending)
        {
            // What another program wrote may hold terminal escapes; an observer refuses it.
            var what = order.Mistake() is { } mistake ? $"an order that will be refused: {mistake}" : $"{order.Kind} {order.To} by {order.By}";
            Line("waiting", $"{what}, given {(now - order.At).TotalSeconds:0} s ago");
        }

        Line("last answer", register.LastCommand is { } last ? $"{last.Says} ({last.At:u})" : null);
        foreach (var ballot in view.Ballots.OrderBy(ballot => ballot.Observer, StringComparer.Ordinal))
        {
            var sees = ballot.Services.GetValueOrDefault(service)?.Select(endpoint => $"{endpoint.Key} {endpoint.Value.Health} ({endpoint.Value.Detail})") ?? [];
            output.WriteLine($"  {ballot.Observer,-12} {(now - ballot.At).TotalSeconds,5:0.0} s ago  {string.Join(", ", sees)}");
        }

        string? InForce(Override? order) =>
            order?.IsInForce(now) == true ? $"by {order.By}{(order.Until is { } until ? $" until {until:u}" : "")} {order.Reason}".TrimEnd() : null;

        void Line(string name, string? value)
        {
            if (value is not null)
            {
                output.WriteLine($"  {name,-12} {value}");
            }
        }
    }
}
