using Failover.ControlPlane;
using Failover.ControlPlane.Registers;

namespace Failover.Cli;

/// <summary>Gives an order, and waits until a tick has answered it.</summary>
internal static class Orders
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(500);

    /// <summary>What became of the order, in words, and whether it was obeyed.</summary>
    public static async Task<(bool Obeyed, string Says)> GiveAsync(
        ControlStore control, string service, Command order, TimeSpan patience, TimeProvider time, CancellationToken cancellationToken)
    {
        var write = await control.AppendOrderAsync(service, order, cancellationToken);
        if (write == OrderWrite.Full)
        {
            return (false, $"Not given: {ControlStore.OrdersMax} orders wait already, and no observer answers them. Look at 'failover status'; a pause, pin or drain still finds room.");
        }

        if (write == OrderWrite.Contended)
        {
            return (false, "Not given: others gave orders at the same moment, at every try. Give it again.");
        }

        var start = time.GetTimestamp();
        ControlView? last = null;
        while (time.GetElapsedTime(start) < patience)
        {
            try
            {
                last = await control.ReadAsync(service, cancellationToken);
                if (last.Register?.AnswerTo(order.Id) is { } answer)
                {
                    return (answer.Obeyed, answer.Says);
                }
            }
            catch (Exception) when (!cancellationToken.IsCancellationRequested)
            {
                // The order is given; one reading that fails says nothing of it.
            }

            await Task.Delay(PollInterval, time, cancellationToken);
        }

        var waiting = last?.Pending.ToList() ?? [];
        var place = waiting.FindIndex(other => other.Id == order.Id) + 1;
        var until = $"It is refused from {order.At + Command.Lifetime:u} on";
        if (place > 0)
        {
            return (false, $"No observer has answered within {patience.TotalSeconds:0} s. The order waits, as number {place} of {waiting.Count}. {until}; see 'failover status'.");
        }

        return write == OrderWrite.Written
            ? (false, $"The order is given. Whether it was answered within {patience.TotalSeconds:0} s cannot be read. {until}; see 'failover status'.")
            : (false, $"Whether the order was given is not known: the control table did not answer. {until}; see 'failover status' before you give it again.");
    }
}
