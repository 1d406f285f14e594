using Failover.ControlPlane;
using Failover.ControlPlane.Registers;

namespace Failover.Cli;

/// <summary>Gives an order, and waits until a tick has obeyed or refused it.</summary>
internal static class Orders
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(500);

    /// <summary>What became of the order; null if no tick answered in time.</summary>
    public static async Task<CommandOutcome?> GiveAsync(
        ControlStore control, string service, Command order, TimeSpan patience, TimeProvider time, CancellationToken cancellationToken)
    {
        if (await control.WriteCommandAsync(service, order, cancellationToken) == ConditionalWrite.Refused)
        {
            return new CommandOutcome(order.Id, Obeyed: false, "refused: there is a newer order", time.GetUtcNow());
        }

        // An order whose answer was lost may be there all the same: the register tells.
        var start = time.GetTimestamp();
        while (time.GetElapsedTime(start) < patience)
        {
            try
            {
                var view = await control.ReadAsync(service, cancellationToken);
                if (view.Register?.LastCommand is { } outcome && outcome.Id == order.Id)
                {
                    return outcome;
                }
            }
            catch (Exception) when (!cancellationToken.IsCancellationRequested)
            {
                // The order is given; one reading that fails says nothing of it.
            }

            await Task.Delay(PollInterval, time, cancellationToken);
        }

        return null;
    }
}
